"""Every job of the queue, under one lock, which is held for dictionary work only."""

import asyncio
import heapq
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from jobs.contract import (
    EVENTS_KEPT,
    Delivery,
    JobEvent,
    JobFailure,
    JobId,
    JobOutcome,
    JobStage,
    Lane,
    WorkerBeat,
)
from jobs.notices import KEPT_S
from jobs.outcomes import kept_s
from jobs.queue import Once, QueuePolicy

Waiter = tuple[asyncio.AbstractEventLoop, asyncio.Event]


@dataclass
class Entry:
    """All that is known of one job. again_ms: how long it has to be begun when it comes back; None: no longer."""

    delivery: Delivery
    inputs: Mapping[str, bytes]
    inputs_until: float
    again_ms: int | None = None
    progress: float | None = None
    outcome: JobOutcome | None = None
    expires_at: float = float("inf")
    waiters: list[Waiter] = field(default_factory=list)
    events: deque[JobEvent] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    watchers: list[Waiter] = field(default_factory=list)
    count: int = 0
    once: Once | None = None
    webhook: str = ""
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def tell(self, stage: JobStage, progress: float | None = None, failure: JobFailure | None = None) -> None:
        """One more event, for whoever watches."""
        self.count += 1
        self.events.append(JobEvent(str(self.count), stage, progress, failure))
        wake(self.watchers)


@dataclass
class Pending:
    """A notice that waits to be delivered. since, due_at: by the monotonic clock."""

    url: str
    outcome: JobOutcome
    since: float
    due_at: float
    attempts: int = 0


class Entries:
    """What both ends share, and what either does with it. Everything here is called under `changed`."""

    def __init__(self, policy: QueuePolicy) -> None:
        self.policy = policy
        self.changed = threading.Condition()
        self.entries: dict[JobId, Entry] = {}
        self.waiting: dict[Lane, deque[JobId]] = {lane: deque() for lane in Lane}
        self.held: dict[JobId, Lane] = {}
        self.totals: Counter[str] = Counter()
        self.beats: dict[str, tuple[float, WorkerBeat]] = {}
        # In the order of their ends. Ids, not entries: what was erased must not live on here.
        self._expiring: list[tuple[float, JobId]] = []
        self._perishing: deque[tuple[float, JobId]] = deque()
        self.notices: dict[JobId, Pending] = {}
        self._known: dict[str, tuple[float, Once, JobId]] = {}

    def add(
        self,
        delivery: Delivery,
        inputs: Mapping[str, bytes],
        *,
        told: bool = True,
        once: Once | None = None,
        webhook: str = "",
    ) -> None:
        """A new job, last in its lane. told: nobody waits for it on the line."""
        until = time.monotonic() + self.policy.input_ttl_s
        again_ms = delivery.deadline_ms - delivery.submitted_at_ms if told else None
        entry = self.entries[delivery.id] = Entry(delivery, inputs, until, again_ms, once=once, webhook=webhook)
        entry.tell(JobStage.WAITING)
        if once is not None:
            self._known[once.key] = (time.monotonic() + self.policy.once_ttl_s, once, delivery.id)
        if inputs:
            self._perishing.append((until, delivery.id))
        self.waiting[delivery.lane].append(delivery.id)
        self.changed.notify_all()

    def conclude(self, entry: Entry, outcome: JobOutcome) -> None:
        """Write the outcome, erase the inputs, wake whoever waits."""
        entry.outcome = outcome
        entry.inputs = {}
        if isinstance(outcome, JobFailure):
            entry.tell(JobStage.FAILED, failure=outcome)
        else:
            entry.tell(JobStage.DONE)
        self.keep_on(entry)
        self.held.pop(entry.delivery.id, None)
        if entry.webhook:
            now = time.monotonic()
            told = outcome if isinstance(outcome, JobFailure) else replace(outcome, body=b"")
            self.forget_notices()
            self.notices[entry.delivery.id] = Pending(entry.webhook, told, now, now)
        wake(entry.waiters)
        entry.waiters.clear()

    def keep_on(self, entry: Entry) -> None:
        """Its result is kept for another result_ttl_s, or as long as it says itself."""
        entry.expires_at = time.monotonic() + kept_s(entry.outcome, self.policy)
        heapq.heappush(self._expiring, (entry.expires_at, entry.delivery.id))

    def submitted(self, once: Once) -> tuple[Once, JobId] | None:
        """What came under that key before."""
        found = self._known.get(once.key)
        return None if found is None else found[1:]

    def forget_key(self, entry: Entry) -> None:
        """The next submit under its key is a new one."""
        if entry.once is not None:
            self._known.pop(entry.once.key, None)

    def expire(self) -> None:
        """Forget results, inputs and idempotency keys past their time."""
        now = time.monotonic()
        # All keys are known equally long, so that the oldest stands first; of results the next to go does.
        while self._known and (oldest := next(iter(self._known.items())))[1][0] <= now:
            del self._known[oldest[0]]
        while self._expiring and self._expiring[0][0] <= now:
            job_id = heapq.heappop(self._expiring)[1]
            if job_id in self.entries and self.entries[job_id].expires_at <= now:
                del self.entries[job_id]
        while self._perishing and self._perishing[0][0] <= now:
            entry = self.entries.get(self._perishing.popleft()[1])
            if entry is not None and entry.inputs_until <= now:
                entry.inputs = {}

    def forget_notices(self) -> None:
        """Of what nobody was told in KEPT_S."""
        now = time.monotonic()
        # In the order of their ends: the oldest stands first.
        while self.notices and now - (oldest := next(iter(self.notices.items())))[1].since >= KEPT_S:
            del self.notices[oldest[0]]

    def put_back(self, entry: Entry, deliveries_so_far: int) -> None:
        """Into the lane again, in front. It was begun, so that its time to be begun counts anew."""
        delivery = entry.delivery
        self.held.pop(delivery.id, None)
        if entry.again_ms is not None:
            delivery = replace(delivery, deadline_ms=time.time_ns() // 1_000_000 + entry.again_ms)
        entry.delivery = replace(delivery, delivery_count=deliveries_so_far, receipt=uuid.uuid4().hex)
        entry.tell(JobStage.WAITING)
        self.waiting[delivery.lane].appendleft(delivery.id)
        self.changed.notify_all()


def wake(waiters: list[Waiter]) -> None:
    """Whoever waits looks again."""
    for loop, event in waiters:
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)
