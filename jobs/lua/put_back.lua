-- KEYS: lane, job, totals. ARGV: group, consumer, entry, deliveries, failed.
-- A new entry that anybody can read at once. Claiming cannot do that: it only speaks to those who look for the dead's.
if not owns(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then
  return 0
end
local found = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])
drop(KEYS[1], ARGV[1], ARGV[3])
if #found == 0 or redis.call('HGET', KEYS[2], 'state') ~= 'waiting' then
  return 0
end
local fields = found[1][2]
for i = 1, #fields, 2 do
  if fields[i] == 'deliveries' then
    fields[i + 1] = ARGV[4]
  end
end
redis.call('HDEL', KEYS[2], 'progress')
tell(KEYS[2], 'stage', 'waiting')
redis.call('HSET', KEYS[2], 'entry', redis.call('XADD', KEYS[1], '*', unpack(fields)))
if ARGV[5] == '1' then
  redis.call('HINCRBY', KEYS[3], 'retries', 1)
end
return 1
