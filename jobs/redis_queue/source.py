"""The worker's end of the queue on Redis."""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from redis.backoff import ExponentialBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from jobs.codec import beat_to_bytes, job_to_bytes, outcome_to_wire
from jobs.contract import Delivery, JobId, JobOutcome, Lane, WorkerBeat
from jobs.errors import WireError
from jobs.outcomes import deadline_passed, given_up, kept_s
from jobs.queue import DEFAULT_POLICY, QueuePolicy
from jobs.redis_queue.cargo import Cargo
from jobs.redis_queue.connecting import blocking_client_of
from jobs.redis_queue.entries import Entry, delivery_of, is_told
from jobs.redis_queue.keys import GROUP, PREFIX, UNAVAILABLE, Keys, in_ms, script, without_password
from jobs.redis_queue.leases import Leases

BLOCK_MS = 1000
"""Longest blocking read; shorter than the socket's patience, so that a dead connection is noticed."""
CLAIMS_PER_LEASE = 10
"""How often we look for the jobs of the dead: a tenth of a lease is what a takeover may come late."""
SOCKET_TIMEOUT_S = 3.0
FORGET_AFTER_MS = 3_600_000  # names of workers that took nothing for so long leave the groups
DIED = "its worker died or fell silent with it"

log = logging.getLogger(__name__)


class RedisSource:
    """Takes from Redis. worker_id: unique among live workers. Every method may be called from any thread."""

    def __init__(self, url: str, worker_id: str, policy: QueuePolicy = DEFAULT_POLICY, prefix: str = PREFIX) -> None:
        self._address = without_password(url)
        self._policy = policy
        self._worker = worker_id
        self._keys = Keys(prefix)
        self._client = blocking_client_of(
            url,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            health_check_interval=15,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        )
        names = ("begin", "finish", "put_back", "bury", "claim", "renew", "report", "sweep")
        self._scripts = {name: self._client.register_script(script(name)) for name in names}
        self._claim_at = dict.fromkeys(Lane, 0.0)
        self._block_ms = min(BLOCK_MS, max(1, in_ms(policy.lease_s / CLAIMS_PER_LEASE)))
        self._cargo = Cargo(self._client, self._keys, policy, worker_id, self._address)
        self._leases = Leases(self._renew, policy.lease_s)

    def take(self, lanes: Sequence[Lane], *, max_jobs: int, wait_ms: int) -> list[Delivery]:
        """See JobSource.take."""
        give_up_at = time.monotonic() + wait_ms / 1000
        while True:
            left_ms = max(0, int((give_up_at - time.monotonic()) * 1000))
            try:
                taken = self._take_once(lanes, max_jobs, min(left_ms, self._block_ms))
            except UNAVAILABLE as error:
                log.warning("The queue at %s cannot be reached; trying again: %s", self._address, error)
                time.sleep(min(0.5, max(left_ms, 1) / 1000))
                taken = []
            if taken or not left_ms:
                return taken

    def inputs(self, delivery: Delivery) -> Mapping[str, bytes]:
        """See JobSource.inputs. Raises QueueUnavailable."""
        return self._cargo.inputs(delivery)

    def put_part(self, delivery: Delivery, token: str, index: int, part: bytes) -> bool:
        """See JobSource.put_part. Raises LeaseLost, QueueUnavailable."""
        return self._cargo.put_part(delivery, token, index, part)

    def earlier_parts(self, delivery: Delivery) -> tuple[str, Iterator[bytes]]:
        """See JobSource.earlier_parts. Raises QueueUnavailable."""
        return self._cargo.earlier_parts(delivery)

    def report(self, delivery: Delivery, progress: float) -> None:
        """See JobSource.report."""
        keys = [self._keys.lane(delivery.lane), self._keys.job(delivery.id)]
        try:
            args = [GROUP, self._worker, delivery.receipt, progress, in_ms(self._policy.input_ttl_s)]
            self._scripts["report"](keys=keys, args=args)
        except UNAVAILABLE as error:
            log.debug("A job's progress was not told: %s", error)

    def cancelled(self, deliveries: Sequence[Delivery]) -> Collection[JobId]:
        """See JobSource.cancelled. Nobody, while Redis is out of reach."""
        pipeline = self._client.pipeline(transaction=False)
        for delivery in deliveries:
            pipeline.hget(self._keys.job(delivery.id), "state")
        try:
            states = pipeline.execute()
        except UNAVAILABLE:
            return set()
        return {delivery.id for delivery, state in zip(deliveries, states, strict=True) if state != b"waiting"}

    def finish(self, delivery: Delivery, outcome: JobOutcome) -> bool:
        """See JobSource.finish. While Redis is out of reach it tries on, as long as others would wait for our lease."""
        give_up_at = time.monotonic() + 3 * self._policy.lease_s
        keys = self._keys_of(delivery.lane, delivery.id)
        args: list[Any] = [GROUP, delivery.receipt, delivery.id, *outcome_to_wire(outcome)]
        args.append(in_ms(kept_s(outcome, self._policy)))
        while True:
            try:
                won = self._scripts["finish"](keys=keys, args=args)
            except UNAVAILABLE as error:
                if time.monotonic() >= give_up_at:
                    log.warning("A result could not be written; another worker will do the job again: %s", error)
                    self._leases.drop([delivery])
                    return False
                time.sleep(0.1)
            else:
                self._leases.drop([delivery])
                return bool(won)

    def retry(self, delivery: Delivery, reason: str) -> None:
        """See JobSource.retry. With Redis out of reach, the end of the lease does it."""
        try:
            if delivery.delivery_count >= self._policy.max_deliveries:
                self._bury(delivery, job_to_bytes(delivery.job), reason)
            else:
                self._put_back(delivery, delivery.delivery_count, failed=True)
        except UNAVAILABLE:
            log.warning("A failed job could not be put back; its lease will end: %s", reason)
        self._leases.drop([delivery])

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """See JobSource.give_back. With Redis out of reach, the end of the lease does it."""
        try:
            for delivery in deliveries:
                self._put_back(delivery, delivery.delivery_count - 1, failed=False)
        except UNAVAILABLE:
            log.warning("Jobs could not be given back; their leases will end.")
        self._leases.drop(deliveries)

    def beat(self, beat: WorkerBeat) -> None:
        """See JobSource.beat. A beat that cannot be written is missed."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(self._keys.beat(self._worker), beat_to_bytes(beat), px=in_ms(self._policy.beat_ttl_s))
        pipeline.sadd(self._keys.workers, self._worker)
        try:
            pipeline.execute()
        except UNAVAILABLE as error:
            log.debug("A heartbeat was missed: %s", error)

    def close(self) -> None:
        """See JobSource.close."""
        self.give_back(self._leases.held())
        self._leases.close()
        try:
            self._client.delete(self._keys.beat(self._worker))
            self._client.srem(self._keys.workers, self._worker)
            for lane in Lane:
                self._scripts["sweep"](keys=[self._keys.lane(lane)], args=[GROUP, self._worker, FORGET_AFTER_MS])
        except UNAVAILABLE:
            log.warning("Left without a goodbye: the queue at %s cannot be reached.", self._address)
        self._client.close()

    def _take_once(self, lanes: Sequence[Lane], max_jobs: int, block_ms: int) -> list[Delivery]:
        try:
            for lane in lanes:
                entries = self._claimed(lane, max_jobs) or self._read([lane], max_jobs).get(lane, [])
                if taken := self._admit(lane, entries):
                    return taken
            return self._take_first(lanes, self._read(lanes, max_jobs, block_ms)) if block_ms else []
        except ResponseError as error:
            # The groups are gone: nobody has been here yet, or the database was flushed.
            if not any(word in str(error) for word in ("NOGROUP", "UNBLOCKED")):
                raise
            self._create_groups(lanes)
            return self._take_once(lanes, max_jobs, block_ms)

    def _take_first(self, lanes: Sequence[Lane], arrived: Mapping[Lane, list[Entry]]) -> list[Delivery]:
        """What came in the first lane that has any; the other lanes' go back (COUNT counts for each stream alone)."""
        taken: list[Delivery] = []
        for lane in lanes:
            admitted = self._admit(lane, arrived.get(lane, []))
            if taken:
                self.give_back(admitted)
            else:
                taken = admitted
        return taken

    def _read(self, lanes: Sequence[Lane], max_jobs: int, block_ms: int | None = None) -> dict[Lane, list[Entry]]:
        streams = {self._keys.lane(lane): ">" for lane in lanes}
        answer = self._client.xreadgroup(GROUP, self._worker, streams, count=max_jobs, block=block_ms)
        by_key = {self._keys.lane(lane).encode(): lane for lane in lanes}
        return {by_key[key]: [(entry, fields, 1) for entry, fields in entries] for key, entries in answer or ()}

    def _claimed(self, lane: Lane, max_jobs: int) -> list[Entry]:
        """The jobs of dead workers, looked for CLAIMS_PER_LEASE times a lease."""
        now = time.monotonic()
        if now < self._claim_at[lane]:
            return []
        self._claim_at[lane] = now + self._policy.lease_s / CLAIMS_PER_LEASE
        rows = self._scripts["claim"](
            keys=[self._keys.lane(lane), self._keys.totals],
            args=[GROUP, self._worker, in_ms(self._policy.lease_s), max_jobs],
        )
        return [(entry, dict(zip(flat[::2], flat[1::2], strict=True)), count) for entry, flat, count in rows]

    def _admit(self, lane: Lane, entries: Iterable[Entry]) -> list[Delivery]:
        """Entries as deliveries under lease; those that are late, malformed or have killed too often end here."""
        now_ms = time.time_ns() // 1_000_000
        admitted, watched = [], []
        for entry in entries:
            delivery = self._delivery(lane, entry)
            if delivery is None:
                continue
            if delivery.deadline_ms < now_ms:
                self.finish(delivery, deadline_passed())
            elif delivery.delivery_count > self._policy.max_deliveries:
                self._bury(delivery, entry[1][b"job"], DIED)
            else:
                admitted.append(delivery)
                if is_told(entry):
                    watched.append(delivery)
        self._begin(watched)
        # Last: what is held is renewed for ever, so it must be in somebody's hands.
        self._leases.hold(admitted)
        return admitted

    def _begin(self, deliveries: Iterable[Delivery]) -> None:
        """Tell whoever watches. Lost while Redis writes nothing."""
        try:
            for delivery in deliveries:
                self._scripts["begin"](keys=[self._keys.job(delivery.id)], args=[])
        except UNAVAILABLE as error:
            log.debug("The beginning of jobs was not told: %s", error)

    def _delivery(self, lane: Lane, entry: Entry) -> Delivery | None:
        try:
            return delivery_of(lane, entry)
        except (WireError, KeyError, ValueError) as error:
            self._bury_unread(lane, entry[0], entry[1], str(error))
            return None

    def _bury_unread(self, lane: Lane, receipt: bytes, fields: Mapping[bytes, bytes], reason: str) -> None:
        log.error("An entry of the %s lane cannot be read: %s", lane, reason)
        job_id = JobId(fields.get(b"id", b"unknown").decode(errors="replace"))
        self._run_bury(lane, job_id, receipt.decode(), job=fields.get(b"job", b""), reason=reason, count=1)

    def _bury(self, delivery: Delivery, job: bytes, reason: str) -> None:
        count = min(delivery.delivery_count, self._policy.max_deliveries)
        log.error("Job %s is given up after %d deliveries: %s", delivery.id, count, reason)
        self._run_bury(delivery.lane, delivery.id, delivery.receipt, job=job, reason=reason, count=count)

    def _run_bury(self, lane: Lane, job_id: JobId, receipt: str, *, job: bytes, reason: str, count: int) -> None:
        keys = [*self._keys_of(lane, job_id), self._keys.dead(lane), self._keys.totals]
        told = (job_id, *outcome_to_wire(given_up(count, reason)), in_ms(self._policy.result_ttl_s))
        args = [GROUP, self._worker, receipt, *told, job, reason, count, in_ms(self._policy.dead_ttl_s)]
        try:
            self._scripts["bury"](keys=keys, args=args)
        except UNAVAILABLE as error:
            # Its companions are to be done all the same; at the end of its lease it comes again.
            log.warning("A job could not be buried: %s", error)

    def _put_back(self, delivery: Delivery, deliveries: int, *, failed: bool) -> None:
        self._scripts["put_back"](
            keys=[self._keys.lane(delivery.lane), self._keys.job(delivery.id), self._keys.totals],
            args=[
                *(GROUP, self._worker, delivery.receipt, deliveries, int(failed)),
                *(time.time_ns() // 1_000_000, in_ms(self._policy.result_ttl_s)),
            ],
        )

    def _renew(self, lane: Lane, receipts: Sequence[str]) -> None:
        try:
            self._scripts["renew"](keys=[self._keys.lane(lane)], args=[GROUP, self._worker, *receipts])
        except (*UNAVAILABLE, ResponseError) as error:
            log.debug("Leases were not renewed: %s", error)

    def _create_groups(self, lanes: Sequence[Lane]) -> None:
        for lane in lanes:
            try:
                # From the beginning: what was submitted before the first worker came is to be done.
                self._client.xgroup_create(self._keys.lane(lane), GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def _keys_of(self, lane: Lane, job_id: JobId) -> list[str]:
        keys = self._keys
        return [keys.lane(lane), keys.job(job_id), keys.result(job_id), keys.inputs(job_id)]
