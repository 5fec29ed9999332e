-- KEYS: lane, totals. ARGV: group, consumer, lease_ms, count.
-- Jobs whose worker fell silent, now ours: {{entry, fields, deliveries}, ...}.
local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', ARGV[4])[2]
local taken = {}
for i = 1, #claimed do
  local entry = claimed[i]
  -- Redis 6.2 gives a nil for an entry that was deleted meanwhile.
  if entry then
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
    taken[#taken + 1] = { entry[1], entry[2], pending[1][4] }
  end
end
if #taken > 0 then
  redis.call('HINCRBY', KEYS[2], 'retries', #taken)
end
return taken
