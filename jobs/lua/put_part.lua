-- KEYS: lane, job, parts. ARGV: group, consumer, entry, token, index, bytes, alive_ms.
-- 1: kept. 0: nobody wants the job any more. -1: it is in other hands.
if redis.call('HGET', KEYS[2], 'state') ~= 'waiting' then
  return 0
end
if not owns(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then
  return -1
end
if redis.call('HGET', KEYS[3], 'token') ~= ARGV[4] then
  -- An attempt that did not go on from what was there.
  redis.call('DEL', KEYS[3])
end
redis.call('HSET', KEYS[2], 'parts', KEYS[3])
redis.call('HSET', KEYS[3], 'token', ARGV[4], 'count', ARGV[5] + 1, ARGV[4] .. ':' .. ARGV[5], ARGV[6])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return 1
