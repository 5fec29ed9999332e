-- KEYS: lane, job. ARGV: group, consumer, entry, progress.
if owns(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) and redis.call('HGET', KEYS[2], 'state') == 'waiting' then
  redis.call('HSET', KEYS[2], 'progress', ARGV[4])
end
return 1
