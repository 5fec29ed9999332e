-- KEYS: lane, job, totals. ARGV: group, consumer, entry, deliveries, failed, now_ms, result_ttl_ms.
-- A new entry that anybody can read at once. Claiming cannot do that: it only speaks to those who look for the dead's.
if not owns(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then
  return 0
end
local found = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])
drop(KEYS[1], ARGV[1], ARGV[3])
if #found == 0 or redis.call('HGET', KEYS[2], 'state') ~= 'waiting' then
  return 0
end
local fields, about = {}, {}
for i = 1, #found[1][2], 2 do
  about[found[1][2][i]] = found[1][2][i + 1]
end
about.deliveries = ARGV[4]
-- Since when it waits again: its time to be begun counts from then.
about.again_ms = ARGV[6]
for name, value in pairs(about) do
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
-- It must not expire before that.
local events = redis.call('HGET', KEYS[2], 'events')
local alive_ms = about.deadline_ms - about.submitted_at_ms + ARGV[7]
if events and redis.call('PTTL', KEYS[2]) < alive_ms then
  redis.call('PEXPIRE', KEYS[2], alive_ms)
  redis.call('PEXPIRE', events, alive_ms)
end
redis.call('HDEL', KEYS[2], 'progress')
tell(KEYS[2], 'stage', 'waiting')
redis.call('HSET', KEYS[2], 'entry', redis.call('XADD', KEYS[1], '*', unpack(fields)))
if ARGV[5] == '1' then
  redis.call('HINCRBY', KEYS[3], 'retries', 1)
end
return 1
