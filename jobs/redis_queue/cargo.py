"""Large bytes beside a job, at the worker's end: inputs go in, parts of a result come out."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import ResponseError

from jobs.contract import Delivery
from jobs.errors import QueueUnavailable
from jobs.queue import QueuePolicy
from jobs.redis_queue.keys import UNAVAILABLE, Keys, as_seen_outside, script


class Cargo:
    """address: as it may be shown."""

    def __init__(self, client: Any, keys: Keys, policy: QueuePolicy, address: str) -> None:
        self._client = client
        self._keys = keys
        self._policy = policy
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
        """See JobSource.put_part. Raises QueueUnavailable."""
        keys = [self._keys.job(delivery.id), self._keys.parts(delivery.id)]
        args = [field(token, index), part, int(self._policy.input_ttl_s * 1000)]
        try:
            return bool(self._put_part(keys=keys, args=args))
        except UNAVAILABLE as error:
            raise self._away(error) from error
        except ResponseError as error:
            raise self._away(as_seen_outside(error)) from error

    def _away(self, error: Exception) -> QueueUnavailable:
        return QueueUnavailable(f"The queue at {self._address} cannot be reached right now: {error}.")


def field(token: str, index: int) -> str:
    """Where a part lies in the hash of a job's parts: two attempts at one job do not mix."""
    return f"{token}:{index}"
