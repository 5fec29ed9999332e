"""The queue on Redis Streams, with commands that Redis 6.2 has. The only code that speaks to Redis.

Each lane is a stream with one consumer group. A job is an entry there (small JSON) and a hash of its own; inputs and
results lie in keys of their own with a time to live. Each change of a job's fate is one Lua script, so that it happens
once whatever dies between two commands. Why by hand: docs/decisions/0002-streams-by-hand.md.
"""

from jobs.redis_queue.notices import RedisNotices
from jobs.redis_queue.source import RedisSource
from jobs.redis_queue.submitter import RedisSubmitter

__all__ = ["RedisNotices", "RedisSource", "RedisSubmitter"]
