-- KEYS: job, result, inputs. ARGV: id, meta, body, result_ttl_ms.
-- 1: cancelled, or forgotten with its result if it was done. 0: no such job.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if conclude(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4]) == 0 then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
end
return 1
