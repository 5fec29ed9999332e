-- KEYS: lane. ARGV: group, consumer, entry, ...
-- Begin the lease anew of what is still ours; what another has taken over meanwhile stays with it.
for i = 3, #ARGV do
  if owns(KEYS[1], ARGV[1], ARGV[2], ARGV[i]) then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return 1
