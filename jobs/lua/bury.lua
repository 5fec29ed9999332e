-- KEYS: lane, job, result, inputs, dead, totals.
-- ARGV: group, consumer, entry, id, meta, body, result_ttl_ms, job, reason, deliveries, dead_ttl_ms.
-- To the dead letters, with the reason; whoever waits is told.
if not owns(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then
  return 0
end
drop(KEYS[1], ARGV[1], ARGV[3])
if conclude(KEYS[2], KEYS[3], KEYS[4], ARGV[4], ARGV[5], ARGV[6], ARGV[7]) == 0 then
  return 0
end
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 10000, '*',
  'id', ARGV[4], 'job', ARGV[8], 'reason', ARGV[9], 'deliveries', ARGV[10])
redis.call('PEXPIRE', KEYS[5], ARGV[11])
redis.call('HINCRBY', KEYS[6], 'dead', 1)
return 1
