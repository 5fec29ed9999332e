"""Ends of jobs that somebody outside wants to be told of, in Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from jobs.codec import outcome_from_wire
from jobs.contract import JobFailure, JobId
from jobs.errors import WireError
from jobs.notices import Notice
from jobs.redis_queue.connecting import client_of
from jobs.redis_queue.keys import PREFIX, Keys, script, without_password
from jobs.redis_queue.turns import ANSWER_WITHIN_S, Turns


class RedisNotices:
    """See Notices. What was submitted with a webhook is here once it has ended."""

    def __init__(self, url: str, prefix: str = PREFIX) -> None:
        self._keys = Keys(prefix)
        self._client = client_of(
            url,
            socket_timeout=ANSWER_WITHIN_S,
            socket_connect_timeout=ANSWER_WITHIN_S,
            retry=Retry(NoBackoff(), 1),
        )
        self._turns = Turns(without_password(url))
        self._take = self._client.register_script(script("take_notice"))

    async def take(self, lease_s: float) -> Notice | None:
        """See Notices.take."""
        args: list[str | int] = [self._keys.notice(JobId("")), int(lease_s * 1000)]
        async with self._reached():
            found = await self._take(keys=[self._keys.notices], args=args)
        if found is None:
            return None
        job_id, url, meta, attempt = found
        outcome = outcome_from_wire(meta, b"")
        failure = outcome if isinstance(outcome, JobFailure) else None
        return Notice(JobId(job_id.decode()), url.decode(), failure, attempt)

    async def settle(self, notice: Notice) -> None:
        """See Notices.settle."""
        async with self._reached():
            await self._client.delete(self._keys.notice(notice.job_id))
            await self._client.zrem(self._keys.notices, notice.job_id)

    async def put_off(self, notice: Notice, seconds: float) -> None:
        """See Notices.put_off."""
        async with self._reached():
            # Redis' own clock, as in the scripts: a job's end and its being told are written by different machines.
            now_s, now_us = await self._client.time()
            due_ms = now_s * 1000 + now_us // 1000 + int(seconds * 1000)
            await self._client.zadd(self._keys.notices, {notice.job_id: due_ms}, xx=True)

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[None]:
        """Raises QueueUnavailable, and WireError for what Redis cannot make sense of."""
        try:
            async with self._turns.reached():
                yield
        except ResponseError as error:
            raise WireError(f"The notices cannot be read: {error}.") from error

    async def close(self) -> None:
        await self._client.aclose()
