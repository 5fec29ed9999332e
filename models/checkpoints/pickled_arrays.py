"""What stands for numpy's own names in a pickle: numeric arrays over the bytes that the file itself holds."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.checkpoints.errors import CheckpointUnsafe
from models.checkpoints.limits import Account

NUMERIC_KINDS = "biuf"
MOST_DIMENSIONS = 8


class PickledType:
    """A numeric numpy type; the byte order arrives after the name."""

    def __init__(self, account: Account, name: Any, *ignored: Any) -> None:
        del account, ignored
        text = name.decode("ascii") if isinstance(name, bytes) else name
        if not isinstance(text, str) or len(text) > 8 or text.lstrip("<>=|")[:1] not in NUMERIC_KINDS:
            raise CheckpointUnsafe(f"The file holds an array of type {str(text)[:40]!r}, which is not numeric.")
        self.dtype = np.dtype(text)

    def build(self, account: Account, state: Any) -> None:
        del account
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if order == ">":
            self.dtype = self.dtype.newbyteorder(">")


class PickledArray:
    """An array: empty when made, filled by its state. `array` is read-only."""

    def __init__(self, account: Account, *ignored: Any) -> None:
        del account, ignored
        self.array: NDArray[Any] = np.empty(0, np.float32)

    def build(self, account: Account, state: Any) -> None:
        """state: (version,) shape, type, whether in Fortran's order, bytes."""
        shape, kind, fortran, raw = state[-4:]
        if not isinstance(kind, PickledType) or type(shape) is not tuple or len(shape) > MOST_DIMENSIONS:
            raise CheckpointUnsafe("The file describes an array in a way that no checkpoint needs.")
        if not all(type(n) is int and 0 <= n < 2**48 for n in shape):
            raise CheckpointUnsafe("The file declares an array whose shape is not made of sensible numbers.")
        data = raw.encode("latin-1") if isinstance(raw, str) else bytes(raw)  # str: written by Python 2
        declared = math.prod(shape) * kind.dtype.itemsize
        if declared != len(data):
            raise CheckpointUnsafe(
                f"The file declares an array of shape {list(shape)}, {declared:,} bytes, and holds {len(data):,}."
            )
        account.tensor(declared)
        self.array = np.frombuffer(data, kind.dtype).reshape(shape, order="F" if fortran else "C")


def array_of_buffer(account: Account, raw: Any, kind: Any, shape: Any, order: Any = "C") -> PickledArray:
    """How pickles of protocol 5 write an array."""
    made = PickledArray(account)
    made.build(account, (shape, kind, order == "F", raw))
    return made


def pickled_scalar(account: Account, kind: Any, raw: Any = b"") -> Any:
    """One number."""
    del account
    data = raw.encode("latin-1") if isinstance(raw, str) else bytes(raw)
    if not isinstance(kind, PickledType) or len(data) != kind.dtype.itemsize:
        raise CheckpointUnsafe("The file describes a number in a way that no checkpoint needs.")
    return np.frombuffer(data, kind.dtype)[0].item()
