-- KEYS: job, result, inputs. ARGV: group, id, meta, body, result_ttl_ms.
-- 1: cancelled, or forgotten with its result if it was done. 0: no such job.
local about = redis.call('HMGET', KEYS[1], 'state', 'events', 'once', 'parts', 'notice')
if not about[1] then
  return 0
end
if call_off(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]) == 0 then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  for i = 2, 5 do
    if about[i] then
      redis.call('DEL', about[i])
    end
  end
end
return 1
