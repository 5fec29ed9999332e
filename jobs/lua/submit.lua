-- KEYS: lane, job, inputs. ARGV: group, id, job, now_ms, deadline_ms, cap, job_ttl_ms, input_ttl_ms, replies, name, bytes, ...
-- 1: accepted. 0: a job of that id is there already. -1: the lane is full.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
-- Waiting are those that nobody was given yet. Before the first worker there is no group, and nobody was given any.
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1])
local running = pending.err and 0 or pending[1]
if redis.call('XLEN', KEYS[1]) - running >= tonumber(ARGV[6]) then
  return -1
end
local entry = redis.call('XADD', KEYS[1], '*',
  'id', ARGV[2], 'job', ARGV[3], 'submitted_at_ms', ARGV[4], 'deadline_ms', ARGV[5], 'deliveries', 0)
redis.call('HSET', KEYS[2], 'state', 'waiting', 'entry', entry, 'lane', KEYS[1], 'replies', ARGV[9])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
for i = 10, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
end
if #ARGV >= 10 then
  redis.call('PEXPIRE', KEYS[3], ARGV[8])
end
return 1
