"""What a worker has in hand and has not begun."""

from collections.abc import Callable, Sequence

from jobs.contract import Delivery, Lane
from worker.batching import Batch


class Backlog:
    """Batches in the order in which they run: those whose model is at hand, and of them faces made ahead last.

    at_hand: whether a model (by digest) can run now; asking for one that cannot begins its opening.
    """

    def __init__(self, at_hand: Callable[[str], bool]) -> None:
        self._at_hand = at_hand
        self._batches: list[Batch] = []

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def deliveries(self) -> list[Delivery]:
        return [delivery for batch in self._batches for delivery in batch.deliveries]

    def add(self, batches: Sequence[Batch]) -> None:
        """Behind the others of their lane."""
        self._batches += batches

    def first(self) -> Batch | None:
        """What `pop` would give."""
        # All are asked, so that the second cold model is in line for opening behind the first.
        runnable = [batch for batch in self._batches if self._at_hand(batch.key.model)]
        return min(runnable, key=lambda batch: batch.lane is Lane.IDLE, default=None)

    def pop(self) -> Batch | None:
        """The batch that runs next; None while all wait for their models."""
        batch = self.first()
        if batch is not None:
            self._batches.remove(batch)
        return batch
