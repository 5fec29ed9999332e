"""What happens to a job, as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine
from time import monotonic
from typing import Any, TypeVar

from app.errands import Errands
from app.errors import JobNotFound
from app.job_replies import shown
from jobs.contract import JobEvent, JobId, JobStage, JobStatus
from jobs.errors import QueueUnavailable

HEARTBEAT_S = 10.0
"""Silence of so long is broken by a comment, so that nobody between us takes the line for dead."""
LOOK_S = 1.0
"""How often the position of a job that waits is looked up."""
COME_BACK_MS = 1000
HEADERS = {
    # Proxies are to pass every event on as it comes, and to keep none.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}
T = TypeVar("T")
_ID = re.compile(r"\d{1,19}(-\d{1,19})?", re.ASCII)


def read_event_id(header: str | None) -> str | None:
    """The Last-Event-ID of a client that comes again; None for one that is none of ours: then all is told."""
    return header if header and _ID.fullmatch(header) else None


class EventStream:
    """The events of one job, from the one after `after` to the last, with comments to keep the line alive.

    Position and heartbeat carry no id: they are of the moment, and whoever comes again is told the present ones.
    ending: set when the web is to stop; whoever watches comes again, and meets the web that follows.
    """

    def __init__(
        self, errands: Errands, job_id: JobId, after: str | None, heartbeat_s: float, ending: asyncio.Event
    ) -> None:
        self._errands = errands
        self._ending = ending
        self._job_id = job_id
        self._after = after
        self._heartbeat_s = heartbeat_s
        self._waits = False
        self._position: int | None = None
        self._silent_since = monotonic()

    async def first(self) -> list[JobEvent] | None:
        """What there is already; None when everything was told before. Raises JobNotFound, QueueUnavailable."""
        found = await self._next(0)
        if found or not await self._is_over():
            return found
        # It may have ended between the two looks.
        return await self._next(0) or None

    async def lines(self, found: list[JobEvent]) -> AsyncIterator[str]:
        """The stream: what was found first, and what comes."""
        yield f"retry: {COME_BACK_MS}\n\n"
        while True:
            for event in found:
                yield self._told(event)
            if (found and found[-1].final) or self._ending.is_set():
                return
            try:
                yield await self._of_the_moment(spoke=bool(found))
                looking = self._next(LOOK_S if self._waits else self._heartbeat_s)
                found = await self._unless_ending(looking) or []
            except QueueUnavailable:
                # The queue comes back, and the client need not: a reconnection that is refused is its last.
                yield ": the queue is out of reach\n\n"
                found = []
                await self._unless_ending(asyncio.sleep(LOOK_S))
            except JobNotFound:
                return

    async def _next(self, within_s: float) -> list[JobEvent]:
        found = await self._errands.events(self._job_id, self._after, within_s)
        if found:
            self._after = found[-1].id
        return found

    async def _unless_ending(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What comes of the work; None when the web is to stop first."""
        working, ending = asyncio.ensure_future(work), asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait([working, ending], return_when=asyncio.FIRST_COMPLETED)
            return await working if working.done() else None
        finally:
            for task in (working, ending):
                task.cancel()

    async def _is_over(self) -> bool:
        return (await self._errands.status(self._job_id)).stage in (JobStage.DONE, JobStage.FAILED)

    async def _of_the_moment(self, *, spoke: bool) -> str:
        """The position of a job that waits, where it has changed; a heartbeat where nothing was said for long."""
        status = await self._errands.status(self._job_id)
        self._waits = status.stage is JobStage.WAITING
        line = ""
        if self._waits and status.position != self._position:
            self._position = status.position
            line = _frame("position", shown(self._job_id, status).model_dump_json())
        elif not spoke and monotonic() - self._silent_since >= self._heartbeat_s:
            line = ": still here\n\n"
        if line or spoke:
            self._silent_since = monotonic()
        return line

    def _told(self, event: JobEvent) -> str:
        document = shown(self._job_id, JobStatus(event.stage, progress=event.progress, failure=event.failure))
        name = document.state if event.progress is None else "progress"
        return f"id: {event.id}\n{_frame(name, document.model_dump_json())}"


def _frame(name: str, document: str) -> str:
    return f"event: {name}\ndata: {document}\n\n"
