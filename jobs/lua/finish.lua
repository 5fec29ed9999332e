-- KEYS: lane, job, result, inputs. ARGV: group, entry, id, meta, body, result_ttl_ms.
-- 1: written. 0: somebody else finished it first, or it was cancelled.
local current = redis.call('HGET', KEYS[2], 'entry')
local won = conclude(KEYS[2], KEYS[3], KEYS[4], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
drop(KEYS[1], ARGV[1], ARGV[2])
if won == 1 and current ~= ARGV[2] then
  -- Given back meanwhile, and done all the same: nobody need do it again.
  drop(KEYS[1], ARGV[1], current)
end
return won
