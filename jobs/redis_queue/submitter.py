"""The app's end of the queue on Redis."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from jobs.codec import beat_from_bytes, job_to_bytes, outcome_from_wire, outcome_to_wire
from jobs.contract import (
    Job,
    JobEvent,
    JobFailure,
    JobId,
    JobOutcome,
    JobStage,
    JobStatus,
    Lane,
    Parts,
    QueueState,
    WorkerBeat,
)
from jobs.errors import JobUnknown, KeyReused, QueueFull, QueueUnavailable, WireError
from jobs.outcomes import cancelled
from jobs.queue import DEFAULT_POLICY, Once, QueuePolicy
from jobs.redis_queue.arrivals import Arrivals
from jobs.redis_queue.connecting import client_of
from jobs.redis_queue.fetching import Fetching
from jobs.redis_queue.keys import GROUP, PREFIX, UNAVAILABLE, Keys, in_ms, script, without_password
from jobs.redis_queue.turns import ANSWER_WITHIN_S, Turns
from jobs.redis_queue.watching import Watching
from jobs.tracing import current_traceparent

_log = logging.getLogger(__name__)
LISTEN_MS = 2000
LONGEST_S = 60.0
OWN_POLL_S = 0.5
"""A lost event (a flush, say) is caught by looking so often at a job of our own."""
FOREIGN_POLL_S = 0.05
"""Jobs that another process submitted announce themselves to that process, so here we look."""
MOST_COUNTED = 1000
"""Jobs before one that waits are counted up to here."""


class RedisSubmitter:
    """Submits to Redis, and is woken by one stream of replies: one connection a process, not one a request."""

    def __init__(self, url: str, policy: QueuePolicy = DEFAULT_POLICY, prefix: str = PREFIX) -> None:
        self._policy = policy
        self._keys = Keys(prefix)
        self._replies = self._keys.replies(uuid.uuid4().hex)
        self._client = client_of(
            url,
            # What takes longer than its turn may is cut there; photos and results take as long as they have bytes.
            socket_timeout=LONGEST_S,
            socket_connect_timeout=LONGEST_S,
            # RESP3 begins with questions: far from Redis, a new connection would outlast the time of one answer.
            protocol=2,
            # A pooled connection may have died with a restart of Redis; every script here may run twice.
            retry=Retry(NoBackoff(), 1),
        )
        self._listening = client_of(
            url,
            socket_timeout=LISTEN_MS / 1000 + ANSWER_WITHIN_S,
            socket_connect_timeout=ANSWER_WITHIN_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._submit = self._client.register_script(script("submit"))
        self._cancel = self._client.register_script(script("cancel"))
        self._status = self._client.register_script(script("status"))
        self._erase = self._client.register_script(script("erase"))
        self._arrivals = Arrivals()
        self._listener: asyncio.Task[None] | None = None
        self._turns = Turns(without_password(url))
        self._fetching = Fetching(self._client, self._keys, self._turns, policy)
        self._watching = Watching(self._client, self._listening, self._keys, self._turns)
        self._closing = False
        self._strangers: set[bytes] = set()

    async def submit(
        self,
        job: Job,
        *,
        lane: Lane,
        timeout_ms: int,
        job_id: JobId | None = None,
        inputs: Mapping[str, bytes] | None = None,
        events: bool = True,
        once: Once | None = None,
        webhook: str = "",
    ) -> JobId:
        """See JobSubmitter.submit."""
        self._listen_on()
        job_id = job_id or JobId(uuid.uuid4().hex)
        now_ms = time.time_ns() // 1_000_000
        policy = self._policy
        cap = policy.lane_caps[lane]
        named = [part for pair in (inputs or {}).items() for part in pair]
        moving = sum(map(len, (inputs or {}).values()))
        ours = self._arrivals.expect(job_id, timeout_ms / 1000 + policy.result_ttl_s)
        keys = self._keys
        once_key = "" if once is None else keys.once(once.key)
        try:
            async with self._turns.reached(moving):
                accepted, *found = await self._submit(
                    keys=[
                        *(keys.lane(lane), keys.job(job_id), keys.inputs(job_id), keys.events(job_id), once_key),
                        *(keys.notice(job_id), keys.notices),
                    ],
                    args=[
                        *(GROUP, job_id, job_to_bytes(job, current_traceparent()), now_ms, now_ms + timeout_ms, cap),
                        *(timeout_ms + in_ms(policy.result_ttl_s), in_ms(policy.input_ttl_s), self._replies),
                        *(int(events), "" if once is None else once.fingerprint, in_ms(policy.once_ttl_s)),
                        *(webhook, *named),
                    ],
                )
        except BaseException:
            self._arrivals.forget(job_id)
            raise
        if accepted <= 0 and ours:
            # Refused; or another process submitted it before, and is told of the outcome instead of us.
            self._arrivals.forget(job_id)
        match accepted:
            case -1:
                raise QueueFull(lane, cap)
            case -2:
                raise KeyReused
        return JobId(found[0].decode())

    async def known(self, once: Once) -> JobId | None:
        """See JobSubmitter.known."""
        async with self._turns.reached():
            found: Any = await self._client.hmget(self._keys.once(once.key), "fingerprint", "id")
        if found[0] not in {None, once.fingerprint.encode()}:
            raise KeyReused
        return None if found[1] is None else JobId(found[1].decode())

    async def wait(self, job_id: JobId, *, timeout_ms: int) -> JobOutcome | None:
        """See JobSubmitter.wait. A Redis that restarts meanwhile is waited for."""
        give_up_at = time.monotonic() + timeout_ms / 1000
        arrival = self._arrivals.of(job_id)
        poll_s = OWN_POLL_S if arrival else FOREIGN_POLL_S
        try:
            while True:
                left_s = give_up_at - time.monotonic()
                if arrival:
                    await _set_within(arrival, min(left_s, poll_s))
                try:
                    outcome = await self._fetching.outcome(job_id)
                except QueueUnavailable:
                    if left_s <= 0:
                        raise
                    outcome = None
                if outcome is not None or left_s <= 0:
                    return outcome
                if not arrival or arrival.is_set():
                    await asyncio.sleep(min(max(left_s, 0), FOREIGN_POLL_S))
        finally:
            self._arrivals.forget(job_id)

    async def status(self, job_id: JobId) -> JobStatus:
        """See JobSubmitter.status."""
        keys = [self._keys.job(job_id), self._keys.result(job_id)]
        async with self._turns.reached():
            found = await self._status(keys=keys, args=[GROUP, MOST_COUNTED])
        match found:
            case [b"waiting", position]:
                return JobStatus(JobStage.WAITING, position=None if position < 0 else position)
            case [b"running", progress]:
                return JobStatus(JobStage.RUNNING, progress=float(progress) if progress else None)
            case [b"done", bytes() as meta]:
                outcome = outcome_from_wire(meta, b"")
                if isinstance(outcome, JobFailure):
                    return JobStatus(JobStage.FAILED, failure=outcome)
                return JobStatus(JobStage.DONE)
        raise JobUnknown

    async def events(self, job_id: JobId, *, after: str | None, wait_ms: int) -> list[JobEvent]:
        """See JobSubmitter.events."""
        return await self._watching.events(job_id, after=after, wait_ms=wait_ms)

    async def part(self, job_id: JobId, parts: Parts, index: int) -> bytes:
        """See JobSubmitter.part."""
        return await self._fetching.part(job_id, parts, index)

    async def cancel(self, job_id: JobId) -> None:
        """See JobSubmitter.cancel."""
        await self._end(self._cancel, job_id)

    async def erase(self, job_id: JobId) -> None:
        """See JobSubmitter.erase."""
        if not await self._end(self._erase, job_id):
            raise JobUnknown

    async def _end(self, ending: Any, job_id: JobId) -> int:
        keys = [self._keys.job(job_id), self._keys.result(job_id), self._keys.inputs(job_id)]
        args = [GROUP, job_id, *outcome_to_wire(cancelled()), in_ms(self._policy.result_ttl_s)]
        async with self._turns.reached():
            ended: int = await ending(keys=keys, args=args)
        self._arrivals.forget(job_id)
        return ended

    async def state(self) -> QueueState:
        """See JobSubmitter.state."""
        async with self._turns.reached():
            pipeline = self._client.pipeline(transaction=False)
            for lane in Lane:
                pipeline.xlen(self._keys.lane(lane))
                pipeline.xpending(self._keys.lane(lane), GROUP)
            pipeline.hgetall(self._keys.totals)
            pipeline.smembers(self._keys.workers)
            # A lane that no worker has seen yet has no group; that is no error of the rest.
            *depths, totals, names = await pipeline.execute(raise_on_error=False)
            for answer in (totals, names):
                if isinstance(answer, Exception):
                    raise answer
            beats = await self._beats(names)
        lengths = dict(zip(Lane, depths[::2], strict=True))
        running = {
            lane: 0 if isinstance(pending, ResponseError) else pending["pending"]
            for lane, pending in zip(Lane, depths[1::2], strict=True)
        }
        return QueueState(
            waiting={lane: lengths[lane] - running[lane] for lane in Lane},
            running=running,
            retries=int(totals.get(b"retries", 0)),
            dead=int(totals.get(b"dead", 0)),
            workers=beats,
        )

    async def close(self) -> None:
        """See JobSubmitter.close."""
        self._closing = True
        await self._watching.close()
        if self._listener is not None:
            self._listener.cancel()
            # A cancel that meets the end of a blocking read is swallowed there; then the flag ends the listener.
            await asyncio.wait([self._listener])
        for client in (self._listening, self._client):
            await client.aclose()
            await client.connection_pool.disconnect(inuse_connections=True)

    async def _beats(self, names: set[bytes]) -> tuple[WorkerBeat, ...]:
        if not names:
            return ()
        ordered = sorted(names)
        beats: Any = await self._client.mget([self._keys.beat(name.decode()) for name in ordered])
        gone = [name for name, beat in zip(ordered, beats, strict=True) if beat is None]
        if gone:
            await self._client.srem(self._keys.workers, *gone)
        read = (self._read_beat(name, beat) for name, beat in zip(ordered, beats, strict=True) if beat is not None)
        return tuple(beat for beat in read if beat is not None)

    def _read_beat(self, name: bytes, beat: bytes) -> WorkerBeat | None:
        """None for a worker of another release: it serves nobody here, and keeps nobody from those who do."""
        try:
            return beat_from_bytes(beat)
        except WireError as error:
            if name not in self._strangers:
                self._strangers.add(name)
                _log.warning("Worker %s is left out, being of another release: %s", name.decode(), error)
            return None

    def _listen_on(self) -> None:
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        last: bytes | str = "0-0"
        while not self._closing:
            self._arrivals.sweep()
            try:
                answer: Any = await self._listening.xread({self._replies: last}, count=1000, block=LISTEN_MS)
            except UNAVAILABLE:
                # What was written meanwhile is in the stream when Redis is back.
                await asyncio.sleep(0.1)
                continue
            for _, entries in answer or ():
                last = entries[-1][0]
                for _, fields in entries:
                    self._arrivals.has_come(JobId(fields[b"id"].decode()))


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), max(seconds, 0))
    except TimeoutError:
        return
