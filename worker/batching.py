"""Which jobs run together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.contract import BatchKey, Delivery, Lane


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that run in one go: of one key, out of one lane, in the order in which they came."""

    key: BatchKey
    lane: Lane
    deliveries: tuple[Delivery, ...]


def group(deliveries: Sequence[Delivery], max_batch: int) -> list[Batch]:
    """Batches of at most max_batch jobs, ordered by their first.

    A job that was delivered before rides alone: its earlier batch may have died of it.
    """
    together: dict[tuple[BatchKey, Lane, str], list[Delivery]] = {}
    for delivery in deliveries:
        apart = delivery.receipt if delivery.delivery_count > 1 else ""
        together.setdefault((delivery.job.batch_key, delivery.lane, apart), []).append(delivery)
    return [
        Batch(key, lane, tuple(alike[start : start + max_batch]))
        for (key, lane, _), alike in together.items()
        for start in range(0, len(alike), max_batch)
    ]
