"""Large bytes beside a job, at the worker's end: inputs go in, parts of a result come out."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.contract import Delivery
from jobs.errors import LeaseLost, QueueUnavailable
from jobs.queue import QueuePolicy
from jobs.redis_queue.keys import GROUP, UNAVAILABLE, Keys, in_ms, script


class Cargo:
    """worker_id: whose leases count. address: as it may be shown."""

    def __init__(self, client: Any, keys: Keys, policy: QueuePolicy, worker_id: str, address: str) -> None:
        self._client = client
        self._keys = keys
        self._policy = policy
        self._worker = worker_id
        self._address = address
        self._put_part = client.register_script(script("put_part"))

    def inputs(self, delivery: Delivery) -> Mapping[str, bytes]:
        """See JobSource.inputs. Raises QueueUnavailable."""
        try:
            found: dict[bytes, bytes] = self._client.hgetall(self._keys.inputs(delivery.id))
        except UNAVAILABLE as error:
            raise self._away(error) from error
        return {name.decode(): value for name, value in found.items()}

    def put_part(self, delivery: Delivery, token: str, index: int, part: bytes) -> bool:
        """See JobSource.put_part. Raises LeaseLost, QueueUnavailable."""
        keys = [self._keys.lane(delivery.lane), self._keys.job(delivery.id), self._keys.parts(delivery.id)]
        args = [GROUP, self._worker, delivery.receipt, token, index, part, in_ms(self._policy.input_ttl_s)]
        try:
            kept = self._put_part(keys=keys, args=args)
        except UNAVAILABLE as error:
            raise self._away(error) from error
        if kept < 0:
            raise LeaseLost
        return bool(kept)

    def earlier_parts(self, delivery: Delivery) -> tuple[str, Iterator[bytes]]:
        """See JobSource.earlier_parts. Raises QueueUnavailable."""
        key = self._keys.parts(delivery.id)
        token, count = self._fetch(key, "token", "count")
        if token is None:
            return "", iter(())
        return token.decode(), self._parts(key, token.decode(), int(count))

    def _parts(self, key: str, token: str, count: int) -> Iterator[bytes]:
        for index in range(count):
            (part,) = self._fetch(key, field(token, index))
            # Past their time, between two of them: what was read is gone as well.
            if part is None:
                return
            yield part

    def _fetch(self, key: str, *fields: str) -> list[Any]:
        try:
            return list(self._client.hmget(key, fields))
        except UNAVAILABLE as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> QueueUnavailable:
        return QueueUnavailable(f"The queue at {self._address} cannot be reached right now: {error}.")


def field(token: str, index: int) -> str:
    """Where a part lies in the hash of a job's parts, beside `token` and `count`: of whom they are, and how many."""
    return f"{token}:{index}"
