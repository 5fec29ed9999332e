"""Files that appear whole or not at all, even if the process is killed as it writes."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is flushed to disk and renamed, on an error deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.replace(path)


@contextlib.contextmanager
def tensors_written_whole(path: Path) -> Iterator[Path]:
    """As `written_whole`, for the writers of PyTorch and safetensors, which do not say that a disk is full. Raises
    OSError."""
    with written_whole(path) as temporary:
        try:
            yield temporary
        except (RuntimeError, SafetensorError) as error:
            free = shutil.disk_usage(path.parent).free
            raise OSError(
                f"{path} could not be written, and what was there before stays; {free / 1e6:,.0f} MB are free there: "
                f"{str(error).splitlines()[0]}"
            ) from error
