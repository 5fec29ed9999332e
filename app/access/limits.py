"""How much one visitor may ask for in a while: a sliding window in Redis, or in this process while Redis is away."""

import asyncio
import logging
import math
from dataclasses import dataclass
from time import monotonic
from typing import Any

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.visitor import VISITOR, Standing, Visitor
from app.errors.access import RateLimited, TooCostly

PATIENCE_S = 0.25
"""A Redis that has not counted by then is away."""
AGAIN_AFTER_S = 2.0
"""How long a Redis that was away is not asked again: nobody's request waits for it meanwhile."""
PREFIX = "psn:limits"
_log = logging.getLogger(__name__)
Window = tuple[int, float, int, float]
"""Units in the window before and seconds until none of it counts any more; units in this one and seconds it is kept."""


@dataclass(frozen=True, slots=True)
class _Counted:
    taken: bool
    window: Window


class Limits:
    """Counts units of work by visitor. per_minute: most for who has no limit of their own; 0: none.

    redis: where all webs count together; None: this process counts alone.
    """

    def __init__(self, per_minute: int, redis: str | None = None) -> None:
        self._per_minute = per_minute
        self._alone = MemoryStorage()
        self._shared = None if redis is None else _storage(redis)
        self._shared_again_at = 0.0

    async def pay(self, cost: int) -> None:
        """Count units for whoever asks now; nobody pays for faces made ahead. Raises RateLimited, TooCostly."""
        visitor = VISITOR.get()
        if visitor is None or cost <= 0:
            return
        for policy, item in self._policies(visitor):
            await self._pay_one(visitor, policy, item, cost)

    async def give_back(self, cost: int) -> None:
        """Units that were paid for work which was refused after all count no more."""
        visitor = VISITOR.get()
        if visitor is None or cost <= 0:
            return
        for policy, item in self._policies(visitor):
            _note(visitor, policy, item, await self._count(item, visitor.name, -cost))

    async def close(self) -> None:
        """Close the connections."""
        if self._alone.timer is not None:
            self._alone.timer.cancel()
        if self._shared is not None:
            await _connection(self._shared).aclose()

    def _policies(self, visitor: Visitor) -> list[tuple[str, RateLimitItem]]:
        own = visitor.key
        per_minute = self._per_minute if own is None or own.per_minute is None else own.per_minute
        found: list[tuple[str, RateLimitItem]] = []
        if per_minute:
            found.append(("minute", RateLimitItemPerMinute(per_minute)))
        if own is not None and own.per_day:
            found.append(("day", RateLimitItemPerDay(own.per_day)))
        return found

    async def _pay_one(self, visitor: Visitor, policy: str, item: RateLimitItem, cost: int) -> None:
        window_s = item.get_expiry()
        if cost > item.amount:
            raise TooCostly(item.amount, window_s, cost)
        counted = await self._count(item, visitor.name, cost)
        _note(visitor, policy, item, counted)
        if not counted.taken:
            visitor.retry_after_s = max(1, wait_for(counted.window, window_s, item.amount - cost))
            raise RateLimited(policy, item.amount, window_s, cost, visitor.retry_after_s)

    async def _count(self, item: RateLimitItem, name: str, cost: int) -> _Counted:
        if self._shared is not None and monotonic() >= self._shared_again_at:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return await _counted(self._shared, item, name, cost)
            except (StorageError, TimeoutError, OSError) as error:
                self._shared_again_at = monotonic() + AGAIN_AFTER_S
                _log.warning("Limits are counted in this process alone while Redis is away: %s", error or "too slow")
        return await _counted(self._alone, item, name, cost)


async def _counted(storage: MemoryStorage | RedisStorage, item: RateLimitItem, name: str, cost: int) -> _Counted:
    taken = await SlidingWindowCounterRateLimiter(storage).hit(item, name, cost=cost)
    return _Counted(taken, await storage.get_sliding_window(item.key_for(name), item.get_expiry()))


def _note(visitor: Visitor, policy: str, item: RateLimitItem, counted: _Counted) -> None:
    window_s = item.get_expiry()
    left = max(0, math.floor(item.amount - weighed(counted.window, window_s)))
    standing = Standing(policy, item.amount, window_s, left, wait_for(counted.window, window_s, 0))
    visitor.standings = [*(one for one in visitor.standings if one.policy != policy), standing]


def _connection(storage: RedisStorage) -> Any:
    """The client inside, which the library gives no way to close."""
    return storage.bridge.get_connection()  # type: ignore[attr-defined]  # of redis-py's bridge, the one we chose


def _storage(redis: str) -> RedisStorage:
    uri = redis.replace("unix://", "redis+unix://", 1) if redis.startswith("unix://") else redis
    return RedisStorage(
        f"async+{uri}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix=PREFIX,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
    )


def weighed(window: Window, window_s: int) -> float:
    """Units that count now: all of this window's, and of the one before the share that has not slid out yet."""
    before, before_s, now, _ = window
    return before * before_s / window_s + now


def wait_for(window: Window, window_s: int, most: int) -> int:
    """Seconds until no more than `most` units count, if nobody asks meanwhile."""
    before, before_s, now, kept_s = window
    if weighed(window, window_s) <= most:
        return 0
    if now <= most:
        return math.ceil(before_s - (most - now) * window_s / before)
    # This window has to become the one before, and slide out in its turn.
    return math.ceil(max(0.0, kept_s - window_s) + window_s * (1 - most / now))


class TellLimits:
    """ASGI middleware: what is left of each limit that the request was counted under, and when to come back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = VISITOR.get()

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start" and visitor is not None and visitor.standings:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = ", ".join(
                    f'"{one.policy}";q={one.limit};w={one.window_s};qu="units"' for one in visitor.standings
                )
                headers["RateLimit"] = ", ".join(
                    f'"{one.policy}";r={one.left};t={one.reset_s}' for one in visitor.standings
                )
                if message["status"] == 429 and visitor.retry_after_s is not None:
                    headers["Retry-After"] = str(visitor.retry_after_s)
            await send(message)

        await self._app(scope, receive, telling)
