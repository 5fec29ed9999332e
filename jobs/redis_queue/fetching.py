"""Results out of Redis: first whether there is one, then its bytes, which may take their time."""

from typing import Any

from jobs.codec import outcome_from_wire
from jobs.contract import JobId, JobOutcome, Parts
from jobs.errors import JobUnknown
from jobs.queue import QueuePolicy
from jobs.redis_queue.cargo import field
from jobs.redis_queue.keys import Keys, in_ms
from jobs.redis_queue.turns import Turns


class Fetching:
    """What became of jobs. Whoever waits for one looks again and again: only who finds it moves its bytes."""

    def __init__(self, client: Any, keys: Keys, turns: Turns, policy: QueuePolicy) -> None:
        self._client = client
        self._keys = keys
        self._turns = turns
        self._policy = policy

    async def outcome(self, job_id: JobId) -> JobOutcome | None:
        """None while it is not done. Raises JobUnknown, QueueUnavailable."""
        result = self._keys.result(job_id)
        async with self._turns.reached():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(result, "meta")
            pipeline.hstrlen(result, "body")
            pipeline.exists(self._keys.job(job_id))
            meta, length, known = await pipeline.execute()
        if meta is None and not known:
            raise JobUnknown
        if meta is None:
            return None
        body: bytes | None = b""
        if length:
            async with self._turns.reached(moving=length):
                body = await self._client.hget(result, "body")
        if body is None:
            # Erased, or expired, between the two looks.
            raise JobUnknown
        return outcome_from_wire(meta, body)

    async def part(self, job_id: JobId, parts: Parts, index: int) -> bytes:
        """See JobSubmitter.part."""
        key = self._keys.parts(job_id)
        async with self._turns.reached(moving=largest(parts)):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(key, field(parts.token, index))
            pipeline.pexpire(key, in_ms(self._policy.result_ttl_s))
            part: bytes | None = (await pipeline.execute())[0]
        if part is None:
            raise JobUnknown
        return part


def largest(parts: Parts) -> int:
    """Bytes of one part, at most: all are alike but for the last, which may have next to none."""
    return 2 * parts.total_bytes // max(1, parts.count)
