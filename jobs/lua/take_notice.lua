-- KEYS: notices. ARGV: prefix of a notice's key, lease_ms.
-- {id, url, meta, attempt}, or nil when none is due.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
while true do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms, 'LIMIT', 0, 1)
  if #due == 0 then
    return nil
  end
  local notice = ARGV[1] .. due[1]
  local told = redis.call('HMGET', notice, 'url', 'meta')
  if told[1] then
    redis.call('ZADD', KEYS[1], now_ms + ARGV[2], due[1])
    return { due[1], told[1], told[2], redis.call('HINCRBY', notice, 'attempt', 1) }
  end
  -- Expired, or erased with its job.
  redis.call('ZREM', KEYS[1], due[1])
end
