-- KEYS: job, parts. ARGV: field, bytes, alive_ms.
-- 1: kept. 0: nobody wants the job any more.
if redis.call('HGET', KEYS[1], 'state') ~= 'waiting' then
  return 0
end
redis.call('HSET', KEYS[1], 'parts', KEYS[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
