-- Put before the scripts that change a job's fate. job, result, inputs: keys. What else belongs to a job (the stream of
-- its events, its idempotency record, the parts of its result, the replies of its submitter) is named in the job's own hash.

-- One more event, for whoever watches. MAXLEN is EVENTS_KEPT of the contract.
local function tell(job, ...)
  local events = redis.call('HGET', job, 'events')
  if events then
    redis.call('XADD', events, 'MAXLEN', 1024, '*', ...)
  end
end

-- Write a job's outcome, once. 1, or 0 where it has one already, was cancelled, or is no longer known.
local function conclude(job, result, inputs, id, meta, body, result_ttl_ms)
  local about = redis.call('HMGET', job, 'state', 'replies', 'events', 'parts', 'webhook', 'notice', 'notices')
  if about[1] ~= 'waiting' then
    return 0
  end
  redis.call('HSET', job, 'state', 'done')
  redis.call('PEXPIRE', job, result_ttl_ms)
  redis.call('HSET', result, 'meta', meta, 'body', body)
  redis.call('PEXPIRE', result, result_ttl_ms)
  redis.call('DEL', inputs)
  if about[4] then
    redis.call('PEXPIRE', about[4], result_ttl_ms)
  end
  if about[5] then
    -- Due at once; kept for a day, and so is its place in the line, which nobody may be there to clear.
    local time, day_ms = redis.call('TIME'), 86400000
    local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', about[6], 'url', about[5], 'meta', meta)
    redis.call('PEXPIRE', about[6], day_ms)
    redis.call('ZREMRANGEBYSCORE', about[7], '-inf', now_ms - day_ms)
    redis.call('ZADD', about[7], now_ms, id)
    redis.call('PEXPIRE', about[7], day_ms)
  end
  tell(job, 'meta', meta)
  if about[3] then
    redis.call('PEXPIRE', about[3], result_ttl_ms)
  end
  -- What wakes the submitter: a stream, so that a reconnecting one misses none.
  redis.call('XADD', about[2], 'MAXLEN', '~', 4096, '*', 'id', id)
  redis.call('PEXPIRE', about[2], result_ttl_ms)
  return 1
end

-- Cancel a job: as `conclude`, and what was told of it so far is erased.
local function call_off(job, result, inputs, group, id, meta, body, result_ttl_ms)
  local about = redis.call('HMGET', job, 'state', 'events', 'once', 'lane', 'entry', 'parts')
  if about[1] ~= 'waiting' then
    return 0
  end
  if about[2] then
    -- Emptied, not deleted: the last event has to come after those that somebody saw.
    redis.call('XTRIM', about[2], 'MAXLEN', 0)
  end
  for _, i in ipairs({ 3, 6 }) do
    if about[i] then
      redis.call('DEL', about[i])
    end
  end
  -- Nobody was given it yet: its place in the lane is free at once. Else whoever has it drops it.
  local pending = redis.pcall('XPENDING', about[4], group, about[5], about[5], 1)
  if pending.err or #pending == 0 then
    redis.call('XDEL', about[4], about[5])
  end
  return conclude(job, result, inputs, id, meta, body, result_ttl_ms)
end

local function drop(stream, group, entry)
  redis.call('XACK', stream, group, entry)
  redis.call('XDEL', stream, entry)
end

-- Whether this worker still holds the lease of an entry. After a flush there is no group, and nobody holds anything.
local function owns(stream, group, consumer, entry)
  local pending = redis.pcall('XPENDING', stream, group, entry, entry, 1)
  return not pending.err and #pending == 1 and pending[1][2] == consumer
end
