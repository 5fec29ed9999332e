"""Many pictures on one."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def contact_sheet(pictures: Iterable[Picture], columns: int) -> Image.Image:
    """[H, W, 3] pictures of one size, row by row, without gaps; missing places at the end are white."""
    tiles = list(pictures)
    height, width, _ = tiles[0].shape
    sheet = np.full((-(-len(tiles) // columns) * height, columns * width, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * height, i % columns * width
        sheet[top : top + height, left : left + width] = tile
    return Image.fromarray(sheet)


def save_sheet(pictures: Iterable[Picture], columns: int, path: Path) -> None:
    """Write a contact sheet in the format that the path's ending names."""
    contact_sheet(pictures, columns).save(path, quality=92, subsampling=0)
