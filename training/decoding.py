"""Files become square pictures, a part at a time: what is in memory meanwhile does not depend on how many there are."""
# n pictures of a part, C channel, R resolution

import contextlib
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from rich.console import Console
from rich.progress import Progress

from models.opened_pictures import eight_bits, upright
from training.errors import DatasetError
from training.picture_files import PictureFiles

PART_BYTES = 16 * 2**20
MOST_IN_A_PART = 64
LINE_EVERY_S = 30

logger = logging.getLogger(__name__)


def decoded(files: PictureFiles, names: Sequence[str], resolution: int) -> Iterator[NDArray[np.uint8]]:
    """The pictures of these names, in this order, as parts [n, resolution, resolution, 3].

    Raises DatasetError for the first that cannot be read.
    """
    size = min(MOST_IN_A_PART, max(1, PART_BYTES // picture_bytes(resolution)))

    reading = threading.Lock()

    def one(name: str) -> NDArray[np.uint8]:
        # A zip counts its readers without a lock of its own.
        with reading:
            data = files.read(name)
        return square(read_rgb(data, name), resolution).transpose(1, 2, 0)

    # Pillow decodes and resizes without holding Python's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(names), size):
            yield np.stack(list(pool.map(one, names[first : first + size])))


def read_rgb(data: bytes, name: str) -> Image.Image:
    """The picture upright and as RGB. Raises DatasetError where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return eight_bits(upright(opened)).convert("RGB")
    except MemoryError:
        raise
    except Exception as error:
        # A decoder may raise anything for a damaged file.
        raise DatasetError(f"{name} is not a picture that can be read: {error}") from error


def square(picture: Image.Image, resolution: int) -> NDArray[np.uint8]:
    """The central square of a picture as [3, resolution, resolution]."""
    fitted = ImageOps.fit(picture, (resolution, resolution), Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.uint8).transpose(2, 0, 1)


def picture_bytes(resolution: int) -> int:
    """What a decoded picture takes."""
    return 3 * resolution**2


@contextlib.contextmanager
def shown_decoding(total: int) -> Iterator[Callable[[int], None]]:
    """Call the yielded function with how many more are decoded: a bar on a terminal, a line now and then elsewhere."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("decoding", total=total)
        done, told = 0, time.monotonic()

        def tell(count: int) -> None:
            nonlocal done, told
            done += count
            progress.advance(bar, count)
            if progress.disable and time.monotonic() - told > LINE_EVERY_S:
                told = time.monotonic()
                logger.info("%d of %d pictures decoded", done, total)

        yield tell
