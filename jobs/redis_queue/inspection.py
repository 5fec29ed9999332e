"""A look at a Redis, for whoever wants to know whether it is fit to hold a queue."""

import time
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import RedisError

from jobs.errors import QueueUnavailable
from jobs.redis_queue.keys import without_password

PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What a Redis says of itself.

    version: its first two numbers. policy: what it does when its memory is full. used_share: of maxmemory; None without
    one. answers_ms: how long it takes to answer.
    """

    address: str
    version: tuple[int, int]
    policy: str
    append_only: bool
    used_share: float | None
    answers_ms: float


def inspect_redis(url: str) -> RedisFacts:
    """Raises QueueUnavailable, whatever the reason: nobody there, a wrong password, an address that is none."""
    address = without_password(url)
    try:
        client = redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
        with client:
            began = time.perf_counter()
            client.ping()
            answers_ms = (time.perf_counter() - began) * 1000
            found: dict[str, Any] = client.info()
    except (RedisError, OSError, ValueError) as error:
        raise QueueUnavailable(f"{address} cannot be used: {error}.") from error
    major, minor = (int(part) for part in str(found["redis_version"]).split(".")[:2])
    most = int(found.get("maxmemory", 0))
    return RedisFacts(
        address=address,
        version=(major, minor),
        policy=str(found.get("maxmemory_policy", "unknown")),
        append_only=bool(found.get("aof_enabled")),
        used_share=int(found["used_memory"]) / most if most else None,
        answers_ms=answers_ms,
    )
