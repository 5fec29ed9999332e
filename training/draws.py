"""Random numbers that do not depend on how many processes share the work.

Every process draws for the whole batch and takes each count-th row, beginning with its own rank. So that two processes
with half a batch each compute what one computes with all of it; and the groups of a minibatch standard deviation,
whose members lie evenly spread over the batch, stay together.
"""
# B batch (of this process)

from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

Rows = TypeVar("Rows", Tensor, NDArray[Any])


@dataclass(frozen=True)
class Draws:
    """The random numbers of process `rank` of `count`, from torch's global generators, which must be in step."""

    rank: int = 0
    count: int = 1

    def share(self, whole: Rows) -> Rows:
        """This process's rows of what the whole batch has."""
        return whole if self.count == 1 else whole[self.rank :: self.count]

    def rand(self, rows: int, *shape: int, device: torch.device) -> Tensor:
        """Uniform in 0..1: [rows, *shape], rows being this process's."""
        return self.share(torch.rand(rows * self.count, *shape, device=device))

    def randn(self, rows: int, *shape: int, device: torch.device) -> Tensor:
        """Normal: [rows, *shape]."""
        return self.share(torch.randn(rows * self.count, *shape, device=device))

    def randint(self, low: int, high: int, rows: int, *shape: int, device: torch.device) -> Tensor:
        """Whole numbers from `low` to `high` - 1: [rows, *shape]."""
        return self.share(torch.randint(low, high, (rows * self.count, *shape), device=device))


ALONE = Draws()
