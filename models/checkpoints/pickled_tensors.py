"""What stands for torch's own names in a pickle: storages become bytes of one type, tensors views of them."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import Account

MOST_DIMENSIONS = 8
# A constant filter repeated over the channels by strides of zero is legitimate, and small.
SMALL_BYTES = 2**20

STORAGE_TYPES: dict[str, torch.dtype] = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
DTYPES: dict[str, torch.dtype] = {str(dtype).removeprefix("torch."): dtype for dtype in STORAGE_TYPES.values()}


@dataclass(frozen=True)
class Storage:
    """Elements in a row. `elements` is None while only the shape of a file is being learnt."""

    dtype: torch.dtype
    elements: Tensor | None


def storage_of(data: bytes | memoryview, dtype: torch.dtype) -> Storage:
    """The bytes as elements, copied: aligned, writable, and independent of the file."""
    if not len(data):
        return Storage(dtype, torch.empty(0, dtype=dtype))
    return Storage(dtype, torch.frombuffer(bytearray(data), dtype=dtype))


def rebuild_tensor(
    account: Account, storage: Any, offset: Any, size: Any, stride: Any, *ignored: Any
) -> Tensor | None:  # requires_grad, hooks and metadata are of no use here
    """A tensor on a storage. Raises CheckpointUnsafe where it would reach beyond it."""
    del ignored
    if not isinstance(storage, Storage):
        raise CheckpointRefused("The file builds a tensor on something that is no storage.")
    if storage.elements is None:
        return None
    sizes, strides = _numbers(size), _numbers(stride)
    (start,) = _numbers((offset,))
    held = storage.elements.numel()
    count = math.prod(sizes)
    end = start + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True)) + 1 if count else start
    declared = count * storage.dtype.itemsize
    if end > held or (count > held and declared > SMALL_BYTES):
        raise CheckpointUnsafe(
            f"The file declares a tensor of shape {list(sizes)} on a storage of {held:,} elements, which is too short."
        )
    account.tensor(declared)
    return storage.elements.as_strided(sizes, strides, start)


def rebuild_parameter(account: Account, data: Any, *ignored: Any) -> Any:
    """The tensor itself: whether it learns is no matter here."""
    del account, ignored
    if data is not None and not isinstance(data, Tensor):
        raise CheckpointRefused("The file builds a parameter on something that is no tensor.")
    return data


def _numbers(values: Any) -> tuple[int, ...]:
    if type(values) is not tuple or len(values) > MOST_DIMENSIONS:
        raise CheckpointUnsafe(f"The file declares a tensor of more than {MOST_DIMENSIONS} dimensions, or of none.")
    if not all(type(value) is int and 0 <= value < 2**48 for value in values):
        raise CheckpointUnsafe("The file declares a tensor whose shape is not made of sensible numbers.")
    return values
