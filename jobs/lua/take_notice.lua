-- KEYS: notices. ARGV: prefix of a notice's key, now_ms, lease_ms.
-- {id, url, meta, attempt}, or nil when none is due.
while true do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, 1)
  if #due == 0 then
    return nil
  end
  local notice = ARGV[1] .. due[1]
  local told = redis.call('HMGET', notice, 'url', 'meta')
  if told[1] then
    redis.call('ZADD', KEYS[1], ARGV[2] + ARGV[3], due[1])
    return { due[1], told[1], told[2], redis.call('HINCRBY', notice, 'attempt', 1) }
  end
  -- Expired, or erased with its job.
  redis.call('ZREM', KEYS[1], due[1])
end
