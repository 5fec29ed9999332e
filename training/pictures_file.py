"""Decoded pictures in the run's folder, for those that do not fit into memory: made once, whole or not at all."""
# N pictures, R resolution

import contextlib
import fcntl
import hashlib
import io
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from training.atomic import written_whole
from training.decoding import decoded, picture_bytes
from training.errors import DatasetError
from training.picture_files import PictureFiles

LOCK_NAME = ".pictures.lock"
FILES = ("pictures-*.npy", ".pictures-*.npy.partial")


def decoded_file(
    run: Path, files: PictureFiles, names: Sequence[str], resolution: int, tell: Callable[[int], None]
) -> Path:
    """`run`/pictures-DIGEST.npy, [N, resolution, resolution, 3] uint8 in the order of `names`.

    The digest is of the source's names, sizes and times, so that a file of another source is never taken for this one;
    such are deleted. tell: called with how many more are decoded. Raises DatasetError.
    """
    path = run / f"pictures-{_digest(files, names, resolution)}.npy"
    header = _header((len(names), resolution, resolution, 3))
    size = len(header) + len(names) * picture_bytes(resolution)
    # Several processes of one run come here at once: one decodes, the others wait, and find what it made.
    with _alone(run):
        if not path.exists() or path.stat().st_size != size:
            _forget_others(run)
            _check_room(run, size)
            # Written, not mapped: pages of a mapping would count as this process's memory until they are on disk.
            with written_whole(path) as temporary, temporary.open("wb") as file:
                file.write(header)
                for part in decoded(files, names, resolution):
                    file.write(part.data)
                    tell(len(part))
    return path


def _digest(files: PictureFiles, names: Sequence[str], resolution: int) -> str:
    told = hashlib.sha256(f"{resolution}\n".encode())
    for name in names:
        told.update(f"{name}\n{files.stamp(name)}\n".encode("utf-8", "surrogateescape"))
    return told.hexdigest()[:16]


def _header(shape: tuple[int, ...]) -> bytes:
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(written, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return written.getvalue()


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    run.mkdir(parents=True, exist_ok=True)
    with (run / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_others(run: Path) -> None:
    for pattern in FILES:
        for path in run.glob(pattern):
            path.unlink()


def _check_room(run: Path, size: int) -> None:
    free = shutil.disk_usage(run).free
    if free < size:
        raise DatasetError(
            f"the decoded pictures take {math.ceil(size / 1e6):,} MB, and {run} has room for {free / 1e6:,.0f}: free "
            "some, choose a smaller resolution, or let them into memory with data_memory_share"
        )
