"""A crowd's turns with Redis, and what it is told when Redis does not answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import ResponseError

from jobs.errors import QueueUnavailable
from jobs.redis_queue.keys import UNAVAILABLE, as_seen_outside

ANSWER_WITHIN_S = 1.0
"""A Redis that takes longer counts as out of reach: whoever asked is told so at once."""
MOST_CONNECTIONS = 32


class Turns:
    """So many speak to Redis at one moment, first come first served: a pool that blocks lets late comers overtake.

    address: as it may be shown.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._turns = asyncio.Semaphore(MOST_CONNECTIONS)
        self._failed_at = 0.0

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[None]:
        """A turn with Redis. Raises QueueUnavailable within about a second, however many wait for their turn."""
        came_at = time.monotonic()
        async with self._turns:
            if self._failed_at > came_at:
                raise QueueUnavailable(f"The queue at {self._address} cannot be reached right now.")
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    yield
            except (*UNAVAILABLE, TimeoutError, ResponseError) as error:
                if isinstance(error, ResponseError) and not isinstance(as_seen_outside(error), UNAVAILABLE):
                    raise
                self._failed_at = time.monotonic()
                why = str(error) or f"no answer within {ANSWER_WITHIN_S:g} s"
                raise QueueUnavailable(f"The queue at {self._address} cannot be reached right now: {why}.") from error
