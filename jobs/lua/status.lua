-- KEYS: job, result. ARGV: group, most.
-- Nil: no such job. {'waiting', position} with -1 where `most` or more wait before it; {'running', progress or ''};
-- {'done', meta}.
local job = redis.call('HMGET', KEYS[1], 'state', 'entry', 'lane', 'progress')
if not job[1] then
  return nil
end
if job[1] ~= 'waiting' then
  return { 'done', redis.call('HGET', KEYS[2], 'meta') }
end
local entry, lane = job[2], job[3]
local own = redis.pcall('XPENDING', lane, ARGV[1], entry, entry, 1)
if not own.err and #own == 1 then
  return { 'running', job[4] or '' }
end
local before = #redis.call('XRANGE', lane, '-', '(' .. entry, 'COUNT', ARGV[2])
if before == tonumber(ARGV[2]) then
  return { 'waiting', -1 }
end
-- Those in workers' hands are in the stream too. Before the first worker there is no group, and nobody was given any.
local pending = redis.pcall('XPENDING', lane, ARGV[1])
return { 'waiting', math.max(0, before - (pending.err and 0 or pending[1])) }
