-- KEYS: lane, totals. ARGV: group, consumer, lease_ms, count.
-- Jobs whose worker fell silent, now ours: {{entry, fields, deliveries}, ...}.
local taken = {}
local cursor = '0-0'
-- One call looks at ten times its COUNT; behind so many jobs in living hands there may be more of the dead's.
repeat
  local answer = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], cursor, 'COUNT', ARGV[4] - #taken)
  cursor = answer[1]
  for i = 1, #answer[2] do
    local entry = answer[2][i]
    -- Redis 6.2 gives a nil for an entry that was deleted meanwhile.
    if entry then
      local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
      taken[#taken + 1] = { entry[1], entry[2], pending[1][4] }
    end
  end
until cursor == '0-0' or #taken >= tonumber(ARGV[4])
if #taken > 0 then
  redis.call('HINCRBY', KEYS[2], 'retries', #taken)
end
return taken
