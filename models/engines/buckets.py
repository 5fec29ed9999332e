"""Batch sizes: what a device runs as it is, and how other numbers of items are made to fit. The one place that pads.

On a GPU every new batch size costs a search for kernels, or an engine build of a minute, and memory that the arena
never gives back; so there are few, all warmed, and a batch is padded to the next. On the CPU padding would be waste.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.engines.devices import runs_on_cpu
from models.engines.engine import Array

GPU_BATCH_SIZES = (1, 2, 4, 8, 16, 32)
CPU_BATCH_SIZES = tuple(range(1, 9))


@dataclass(frozen=True)
class Sides:
    """How large the pictures may be whose size a graph leaves free: TensorRT's range, and what is run to warm."""

    smallest: int = 64
    usual: int = 256
    largest: int = 1024

    def sized(self, axes: Sequence[int | str | None], which: str = "usual") -> list[int]:
        """Sizes of an input with its free axes filled in; one named `256*height` gets a multiple of 256."""
        return [axis if isinstance(axis, int) else self._multiple(axis, which) for axis in axes]

    def _multiple(self, axis: str | None, which: str) -> int:
        named = re.match(r"(\d+)\*", axis or "")
        step = int(named[1]) if named else 1
        side: int = getattr(self, which)
        return max(1, -(-side // step)) * step


def default_batch_sizes(device: str) -> tuple[int, ...]:
    """The batch sizes of `cpu`, `openvino:f32`, `cuda:0`, `tensorrt:0`, ..."""
    return CPU_BATCH_SIZES if runs_on_cpu(device) else GPU_BATCH_SIZES


def item_count(inputs: Mapping[str, Array]) -> int:
    """How many items ride in these arrays. Raises ValueError when they disagree, or when there is none."""
    counts: dict[str, int] = {name: array.shape[0] for name, array in inputs.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"All inputs need the same number of items, at least 1; these have {counts}.")
    return next(iter(counts.values()))


def goes(count: int, largest: int) -> Iterator[slice]:
    """The slices in which `count` items run, `largest` at a time."""
    return (slice(start, min(start + largest, count)) for start in range(0, count, largest))


def share_size(count: int, abreast: int) -> int:
    """How many items ride in each share of a batch that runs in at most `abreast` shares."""
    return -(-count // abreast)


def padded_size(count: int, batch_sizes: Sequence[int]) -> int:
    """The smallest batch size that holds `count` items; count is at most the largest."""
    return min(size for size in batch_sizes if size >= count)


def pad(array: Array, size: int) -> Array:
    """`array` [N, ...] as [size, ...], contiguous. Its last item fills up: padding meets what an item meets."""
    missing = size - array.shape[0]
    if not missing:
        return np.ascontiguousarray(array)
    return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])
