-- KEYS: job. A worker has it in hand.
if redis.call('HGET', KEYS[1], 'state') == 'waiting' then
  tell(KEYS[1], 'stage', 'running')
end
return 1
