"""Pictures for the tests of data sets: smooth blots that nobody takes for each other."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def blot(number: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Coarse blots with finer ones upon them, as photographs have them."""
    random, picture = np.random.RandomState(number), np.full((*size[::-1], 3), 128.0)
    for cells, strength in ((4, 60), (8, 30), (16, 15), (32, 8)):
        coarse = (127 + strength * random.randn(cells, cells, 3)).clip(0, 255).astype(np.uint8)
        picture += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), float) - 127
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
