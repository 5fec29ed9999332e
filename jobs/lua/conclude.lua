-- Put before the scripts that end a job. keys: job, result, inputs.

-- Write a job's outcome, once. 1, or 0 where it has one already, was cancelled, or is no longer known.
local function conclude(job, result, inputs, id, meta, body, result_ttl_ms)
  if redis.call('HGET', job, 'state') ~= 'waiting' then
    return 0
  end
  redis.call('HSET', job, 'state', 'done')
  redis.call('PEXPIRE', job, result_ttl_ms)
  redis.call('HSET', result, 'meta', meta, 'body', body)
  redis.call('PEXPIRE', result, result_ttl_ms)
  redis.call('DEL', inputs)
  -- The event that wakes the submitter: a stream, so that a reconnecting one misses none.
  local replies = redis.call('HGET', job, 'replies')
  redis.call('XADD', replies, 'MAXLEN', '~', 4096, '*', 'id', id)
  redis.call('PEXPIRE', replies, result_ttl_ms)
  return 1
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
