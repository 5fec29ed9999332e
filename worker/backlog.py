"""What a worker has in hand and has not begun."""

from collections.abc import Callable, Sequence

from jobs.contract import Delivery, Lane
from worker.batching import Batch, group


class Backlog:
    """Jobs in the order in which they came; those run first whose model is at hand, and faces made ahead last.

    at_hand: whether a model (by digest) can run now; asking for one that cannot begins its opening. limit: see `group`.
    """

    def __init__(self, at_hand: Callable[[str], bool], limit: Callable[[str, Lane], int]) -> None:
        self._at_hand = at_hand
        self._limit = limit
        self.deliveries: list[Delivery] = []

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Behind the others: they ride along with those that wait for the same model."""
        self.deliveries += deliveries

    def first(self) -> Batch | None:
        """What `pop` would give."""
        # All are asked, so that the second cold model is in line for opening behind the first.
        runnable = [batch for batch in group(self.deliveries, self._limit) if self._at_hand(batch.key.model)]
        return min(runnable, key=lambda batch: batch.lane is Lane.IDLE, default=None)

    def pop(self) -> Batch | None:
        """The batch that runs next; None while all wait for their models."""
        batch = self.first()
        if batch is not None:
            taken = {id(delivery) for delivery in batch.deliveries}
            self.deliveries = [delivery for delivery in self.deliveries if id(delivery) not in taken]
        return batch
