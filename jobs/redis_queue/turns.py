"""A crowd's turns with Redis, and what it is told when Redis does not answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobs.errors import QueueUnavailable
from jobs.queue import moving_s
from jobs.redis_queue.keys import UNAVAILABLE

ANSWER_WITHIN_S = 0.8
"""A Redis that takes longer counts as out of reach: whoever asked is told so at once."""
MOST_CONNECTIONS = 32
_LATE_S = 0.1
"""A timer that comes so late tells that this process stood still itself: a paused machine, a crowd of its own."""
_GRACE_S = 0.25
_MOST_GRACES = 4


class Turns:
    """So many speak to Redis at one moment, first come first served: a pool that blocks lets late comers overtake.

    address: as it may be shown.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._turns = asyncio.Semaphore(MOST_CONNECTIONS)
        self._failed_at = 0.0

    @asynccontextmanager
    async def reached(self, moving: int = 0) -> AsyncIterator[None]:
        """A turn with Redis. Raises QueueUnavailable within a second, however many wait for their turn.

        moving: bytes of a photo or a result that go with it. They are given their time, and if that is not enough, it
        says nothing of others' turns.
        """
        limit_s = ANSWER_WITHIN_S + moving_s(moving)
        came_at = time.monotonic()
        async with self._turns:
            if self._failed_at > came_at:
                raise QueueUnavailable(f"The queue at {self._address} cannot be reached right now.")
            try:
                async with answered_within(limit_s):
                    yield
            except (*UNAVAILABLE, TimeoutError) as error:
                if not moving:
                    self._failed_at = time.monotonic()
                why = str(error) or f"no answer within {limit_s:.2g} s"
                raise QueueUnavailable(f"The queue at {self._address} cannot be reached right now: {why}.") from error


@asynccontextmanager
async def answered_within(limit_s: float) -> AsyncIterator[None]:
    """`asyncio.timeout`, but time for which this process stood still is not held against whoever is to answer: the
    answer may lie there unread, so it gets a moment more. Raises TimeoutError."""
    loop = asyncio.get_running_loop()
    graces = _MOST_GRACES
    timer: asyncio.TimerHandle
    async with asyncio.timeout(None) as limit:

        def wait(seconds: float) -> asyncio.TimerHandle:
            return loop.call_later(seconds, look, time.monotonic() + seconds)

        def look(due: float) -> None:
            nonlocal timer, graces
            if graces and time.monotonic() - due > _LATE_S:
                graces -= 1
                timer = wait(_GRACE_S)
            else:
                limit.reschedule(loop.time())

        timer = wait(limit_s)
        try:
            yield
        finally:
            timer.cancel()
