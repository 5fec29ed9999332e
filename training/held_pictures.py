"""Where decoded pictures lie as a run goes on: on the device, or in a file of which batches are read ahead."""
# N pictures, B batch, C channel, H W picture

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Places = NDArray[np.int64]


class HeldPictures(Protocol):
    """N decoded pictures of one size, channels last in memory, which networks are quicker with."""

    def __len__(self) -> int: ...

    def at(self, places: Places) -> Tensor:
        """[B, 3, H, W] uint8 on the device."""
        ...

    def read_ahead(self, places: Places) -> None:
        """These will probably be asked for next."""
        ...


class ResidentPictures:
    """All on the device, [N, H, W, 3] uint8."""

    def __init__(self, pictures_NHWC: Tensor) -> None:
        self._pictures = pictures_NHWC

    def __len__(self) -> int:
        return len(self._pictures)

    def at(self, places: Places) -> Tensor:
        return self._pictures[torch.from_numpy(places).to(self._pictures.device)].permute(0, 3, 1, 2)

    def read_ahead(self, places: Places) -> None:
        """They are here."""


class MappedPictures:
    """Of a .npy file, [N, H, W, 3] uint8: the kernel keeps as much of it in memory as nobody else needs."""

    def __init__(self, path: Path, device: torch.device) -> None:
        self._pictures: NDArray[np.uint8] = np.load(path, mmap_mode="r")
        self._device = device
        self._reader = ThreadPoolExecutor(1, "pictures")
        self._ahead: tuple[Places, Future[Tensor]] | None = None

    def __len__(self) -> int:
        return len(self._pictures)

    def at(self, places: Places) -> Tensor:
        ahead, self._ahead = self._ahead, None
        is_read = ahead is not None and np.array_equal(ahead[0], places)
        found = ahead[1].result() if ahead is not None and is_read else self._read(places)
        return found.to(self._device, non_blocking=True).permute(0, 3, 1, 2)

    def read_ahead(self, places: Places) -> None:
        self._ahead = places, self._reader.submit(self._read, places)

    def _read(self, places: Places) -> Tensor:
        """[B, H, W, 3] uint8, on the CPU."""
        # Only from pinned memory does a copy to a GPU run beside its arithmetic.
        shape = (len(places), *self._pictures.shape[1:])
        read = torch.empty(shape, dtype=torch.uint8, pin_memory=self._device.type == "cuda")
        # Unlike "raise", this mode writes straight into `out`; places are never out of bounds.
        np.take(self._pictures, places, axis=0, out=read.numpy(), mode="clip")
        return read
