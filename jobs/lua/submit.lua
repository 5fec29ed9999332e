-- KEYS: lane, job, inputs, events, once, notice, notices.
-- ARGV: group, id, job, now_ms, deadline_ms, cap, job_ttl_ms, input_ttl_ms, replies, with_events, fingerprint,
--   once_ttl_ms, webhook, name, bytes, ...
-- {1, id}: accepted. {0, id}: that job is there already, or was. {-1}: the lane is full. {-2}: another payload came
-- under this key.
if ARGV[11] ~= '' then
  local before = redis.call('HMGET', KEYS[5], 'fingerprint', 'id')
  if before[1] then
    return before[1] == ARGV[11] and { 0, before[2] } or { -2 }
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  return { 0, ARGV[2] }
end
-- Waiting are those that nobody was given yet. Before the first worker there is no group, and nobody was given any.
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1])
local running = pending.err and 0 or pending[1]
if redis.call('XLEN', KEYS[1]) - running >= tonumber(ARGV[6]) then
  return { -1 }
end
local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[2], 'job', ARGV[3], 'submitted_at_ms', ARGV[4],
  'deadline_ms', ARGV[5], 'deliveries', 0, 'events', ARGV[10])
redis.call('HSET', KEYS[2], 'state', 'waiting', 'entry', entry, 'lane', KEYS[1], 'replies', ARGV[9])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
if ARGV[10] == '1' then
  redis.call('HSET', KEYS[2], 'events', KEYS[4])
  tell(KEYS[2], 'stage', 'waiting')
  redis.call('PEXPIRE', KEYS[4], ARGV[7])
end
if ARGV[11] ~= '' then
  redis.call('HSET', KEYS[2], 'once', KEYS[5])
  redis.call('HSET', KEYS[5], 'fingerprint', ARGV[11], 'id', ARGV[2])
  redis.call('PEXPIRE', KEYS[5], ARGV[12])
end
if ARGV[13] ~= '' then
  redis.call('HSET', KEYS[2], 'webhook', ARGV[13], 'notice', KEYS[6], 'notices', KEYS[7])
end
for i = 14, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
end
if #ARGV >= 14 then
  redis.call('PEXPIRE', KEYS[3], ARGV[8])
end
return { 1, ARGV[2] }
