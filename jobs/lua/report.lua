-- KEYS: lane, job. ARGV: group, consumer, entry, progress, alive_ms.
if owns(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) and redis.call('HGET', KEYS[2], 'state') == 'waiting' then
  redis.call('HSET', KEYS[2], 'progress', ARGV[4])
  tell(KEYS[2], 'stage', 'running', 'progress', ARGV[4])
  -- A job that is being done must not expire, however long it takes.
  if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[5]) then
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
    local events = redis.call('HGET', KEYS[2], 'events')
    if events then
      redis.call('PEXPIRE', events, ARGV[5])
    end
  end
end
return 1
