"""What happens to jobs, for those who watch them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from jobs.codec import outcome_from_wire
from jobs.contract import EVENTS_KEPT, JobEvent, JobFailure, JobId, JobStage
from jobs.errors import JobUnknown
from jobs.redis_queue.keys import UNAVAILABLE, Keys
from jobs.redis_queue.turns import Turns

READ_MS = 200
"""Whoever begins to watch is read for from the next blocking read on."""


class Watching:
    """Events of jobs, and one blocking read for all who watch here, which only says that something happened.

    client: for short commands, in turns. listening: for the blocking read.
    """

    def __init__(self, client: Any, listening: Any, keys: Keys, turns: Turns) -> None:
        self._client = client
        self._listening = listening
        self._keys = keys
        self._turns = turns
        self._watchers: dict[JobId, dict[asyncio.Event, str]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def events(self, job_id: JobId, *, after: str | None, wait_ms: int) -> list[JobEvent]:
        """See JobSubmitter.events."""
        give_up_at = time.monotonic() + wait_ms / 1000
        while True:
            found = await self._after(job_id, after)
            left_s = give_up_at - time.monotonic()
            if found or left_s <= 0:
                return found
            await self._news(job_id, after or "0-0", left_s)

    async def close(self) -> None:
        if self._reader is not None:
            self._watchers.clear()
            self._reader.cancel()
            await asyncio.wait([self._reader])

    async def _after(self, job_id: JobId, after: str | None) -> list[JobEvent]:
        start = "-" if after is None else f"({after}"
        async with self._turns.reached():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.xrange(self._keys.events(job_id), min=start, count=EVENTS_KEPT)
            pipeline.exists(self._keys.job(job_id))
            found, known = await pipeline.execute()
        if not known:
            raise JobUnknown
        return [_event(entry.decode(), fields) for entry, fields in found]

    async def _news(self, job_id: JobId, after: str, within_s: float) -> None:
        """Return when something has happened since, or it is time to look."""
        news = asyncio.Event()
        self._watchers.setdefault(job_id, {})[news] = after
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(within_s):
                await news.wait()
        except TimeoutError:
            return
        finally:
            watchers = self._watchers.get(job_id, {})
            watchers.pop(news, None)
            if not watchers:
                self._watchers.pop(job_id, None)

    async def _read(self) -> None:
        while self._watchers:
            by_key = {self._keys.events(job_id).encode(): job_id for job_id in self._watchers}
            streams = {key: min(self._watchers[job_id].values(), key=_order) for key, job_id in by_key.items()}
            try:
                answer: Any = await self._listening.xread(streams, count=1, block=READ_MS)
            except UNAVAILABLE:
                await asyncio.sleep(READ_MS / 1000)
                continue
            for key, _ in answer or ():
                for news in self._watchers.get(by_key[key], {}):
                    news.set()
            # Those who were woken look for themselves, and come back with another `after`.
            await asyncio.sleep(0)
            self._forget_the_woken()

    def _forget_the_woken(self) -> None:
        waiting = {
            job_id: {news: after for news, after in watchers.items() if not news.is_set()}
            for job_id, watchers in self._watchers.items()
        }
        self._watchers = {job_id: watchers for job_id, watchers in waiting.items() if watchers}


def _event(event_id: str, fields: Mapping[bytes, bytes]) -> JobEvent:
    if b"meta" in fields:
        outcome = outcome_from_wire(fields[b"meta"], b"")
        if isinstance(outcome, JobFailure):
            return JobEvent(event_id, JobStage.FAILED, failure=outcome)
        return JobEvent(event_id, JobStage.DONE)
    progress = fields.get(b"progress")
    return JobEvent(event_id, JobStage(fields[b"stage"].decode()), None if progress is None else float(progress))


def _order(event_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in event_id.split("-"))
