"""Ends of jobs that somebody outside wants to be told of, in memory."""

import time

from jobs.contract import JobFailure
from jobs.memory_queue.entries import Entries
from jobs.notices import Notice


class MemoryNotices:
    """See Notices."""

    def __init__(self, queue: Entries) -> None:
        self._queue = queue

    async def take(self, lease_s: float) -> Notice | None:
        """See Notices.take."""
        now = time.monotonic()
        with self._queue.changed:
            notices = self._queue.notices
            self._queue.forget_notices()
            due = min(notices.items(), key=lambda item: item[1].due_at, default=None)
            if due is None or due[1].due_at > now:
                return None
            job_id, one = due
            one.due_at = now + lease_s
            one.attempts += 1
            failure = one.outcome if isinstance(one.outcome, JobFailure) else None
            return Notice(job_id, one.url, failure, one.attempts)

    async def settle(self, notice: Notice) -> None:
        """See Notices.settle."""
        with self._queue.changed:
            self._queue.notices.pop(notice.job_id, None)

    async def put_off(self, notice: Notice, seconds: float) -> None:
        """See Notices.put_off."""
        with self._queue.changed:
            if notice.job_id in self._queue.notices:
                self._queue.notices[notice.job_id].due_at = time.monotonic() + seconds

    async def close(self) -> None:
        """Nothing to close: the queue lives as long as the process."""
