"""What a worker has done, counted where it happens and told in its log at the end.

No port of its own: each result carries its timings to the web, whose /metrics shows them for all workers.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """Totals since the worker began.

    done: results that were accepted. failed: jobs told that they will give no result (their model is not here).
    dropped: cancelled or too late before they ran, or finished by somebody else. retried: attempts that raised.
    batches: how many batches of each size ran. inference_ms: of all batches; encode_ms: of all pictures.
    """

    done: int
    failed: int
    dropped: int
    retried: int
    batches: Mapping[int, int]
    inference_ms: float
    encode_ms: float

    @property
    def summary(self) -> str:
        """One line for the log."""
        batches = sum(self.batches.values())
        ran = sum(size * count for size, count in self.batches.items())
        inference_ms, encode_ms = self.inference_ms / max(ran, 1), self.encode_ms / max(self.done, 1)
        return (
            f"{self.done} done, {self.failed} failed, {self.dropped} dropped, {self.retried} attempts failed; "
            f"{batches} batches of {ran / max(batches, 1):.1f} on average; "
            f"a job took {inference_ms:.1f} ms inference, {encode_ms:.1f} ms encoding"
        )


class WorkerMetrics:
    """Counts from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: Counter[str] = Counter()
        self._batches: Counter[int] = Counter()
        self._inference_ms = 0.0
        self._encode_ms = 0.0

    def count_batch(self, size: int, inference_ms: float) -> None:
        with self._lock:
            self._batches[size] += 1
            self._inference_ms += inference_ms

    def count_done(self, encode_ms: float) -> None:
        with self._lock:
            self._jobs["done"] += 1
            self._encode_ms += encode_ms

    def count_failed(self) -> None:
        self._count("failed")

    def count_dropped(self) -> None:
        self._count("dropped")

    def count_retried(self) -> None:
        self._count("retried")

    def figures(self) -> WorkerFigures:
        """A copy that no longer changes."""
        with self._lock:
            return WorkerFigures(
                done=self._jobs["done"],
                failed=self._jobs["failed"],
                dropped=self._jobs["dropped"],
                retried=self._jobs["retried"],
                batches=dict(self._batches),
                inference_ms=self._inference_ms,
                encode_ms=self._encode_ms,
            )

    def _count(self, what: str) -> None:
        with self._lock:
            self._jobs[what] += 1
