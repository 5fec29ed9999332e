"""Which jobs run together. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs.contract import BatchKey, Delivery, Lane


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that run in one go: of one key, out of one lane, in the order in which they came."""

    key: BatchKey
    lane: Lane
    deliveries: tuple[Delivery, ...]


def group(deliveries: Sequence[Delivery], limit: Callable[[str, Lane], int]) -> list[Batch]:
    """Batches ordered by their first job. limit: most jobs of a model (its digest) and lane that run together.

    A job that was delivered before rides alone: its earlier batch may have died of it.
    """
    together: dict[tuple[BatchKey, Lane, str], list[Delivery]] = {}
    for delivery in deliveries:
        apart = delivery.receipt if delivery.delivery_count > 1 else ""
        together.setdefault((delivery.job.batch_key, delivery.lane, apart), []).append(delivery)
    batches = []
    for (key, lane, _), alike in together.items():
        most = limit(key.model, lane)
        batches += [Batch(key, lane, tuple(alike[start : start + most])) for start in range(0, len(alike), most)]
    return batches
