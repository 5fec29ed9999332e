"""A picture cut into overlapping tiles, and put together again without a seam. Pure geometry: no model in here.

A tile's outer rim is never seen: there a network looks past the tile's end. Between two tiles a ramp in the middle of
what both cover leads from one to the other.
"""
# H W picture, T tile, C channel

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.pictures import Picture

PATCH = 64
"""Side of a mosaic's patches, in pixels: many and small, so that each kind of place in the photo has its share."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a picture is cut.

    side: of a tile. margin: neighbours share at least so many pixels on either side of the seam between them; less
    than half the side. multiple: tiles begin at multiples of this, as the network's strides ask; side is one of them.
    """

    side: int
    margin: int
    multiple: int

    def origins(self, length: int) -> list[int]:
        """Where the tiles begin along an axis of `length` pixels, itself a multiple; spread evenly."""
        if length <= self.side:
            return [0]
        last = length - self.side
        tiles = -(-last // self.step)
        # Rounded down, so that no two are further apart than a step.
        return [last * i // tiles // self.multiple * self.multiple for i in range(tiles + 1)]

    @property
    def step(self) -> int:
        """The most from one tile's beginning to the next."""
        return (self.side - 2 * self.margin) // self.multiple * self.multiple

    def count(self, height: int, width: int) -> int:
        """How many tiles a picture of that size has."""
        return len(self.origins(height)) * len(self.origins(width))


def padded(picture: Picture, multiple: int, smallest: int) -> Picture:
    """The picture grown at its right and lower ends by reflection: both sides multiples of `multiple`."""
    height, width = (max(smallest, -(-side // multiple) * multiple) for side in picture.shape[:2])
    grown = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
    return picture if not any(end for _, end in grown) else np.pad(picture, grown, mode="reflect")


def tiled(picture: Picture, tiling: Tiling, run: Callable[[Picture], Picture]) -> Picture:
    """What `run` makes of each tile, as one picture. Sides are multiples of tiling.multiple."""
    height, width = picture.shape[:2]
    rows, columns = tiling.origins(height), tiling.origins(width)
    whole = np.empty_like(picture)
    for row, top in enumerate(rows):
        bottom = min(top + tiling.side, height)
        strip = np.empty_like(picture[top:bottom])
        for column, left in enumerate(columns):
            right = min(left + tiling.side, width)
            tile = run(np.ascontiguousarray(picture[top:bottom, left:right]))
            seam = _seam(columns, column, tiling) - left
            _join(strip[:, left:right], tile, _ramp(right - left, seam, tiling.margin)[None, :, None])
        _join(
            whole[top:bottom], strip, _ramp(bottom - top, _seam(rows, row, tiling) - top, tiling.margin)[:, None, None]
        )
    return whole


def mosaic(picture: Picture, side: int) -> Picture:
    """A picture of at most side x side pixels, made of patches from everywhere in this one, at its own scale.

    What is seen on average in it is what is seen on average in the picture.
    """
    return np.concatenate(
        [
            np.concatenate([picture[y : y + PATCH, x : x + PATCH] for x in _spread(picture.shape[1], side)], axis=1)
            for y in _spread(picture.shape[0], side)
        ]
    )


def _spread(length: int, side: int) -> list[int]:
    """Where patches begin along an axis."""
    count = min(side, length) // PATCH or 1
    return [round(max(length - PATCH, 0) * i / max(count - 1, 1)) for i in range(count)]


def _seam(origins: list[int], index: int, tiling: Tiling) -> int:
    """The middle of what a tile and the one before it both cover; for the first tile, long before it."""
    if index == 0:
        return -tiling.side
    return (origins[index] + origins[index - 1] + tiling.side) // 2


def _ramp(length: int, middle: int, width: int) -> NDArray[np.float32]:
    """0 before the ramp, 1 after it; `width` pixels long, around `middle`."""
    return np.clip((np.arange(length, dtype=np.float32) - middle) / width + 0.5, 0, 1)


def _join(under: Picture, over: Picture, weight: NDArray[np.float32]) -> None:
    """Lay `over` upon `under`, in place, as far as the weight says.

    Where it is 0 or 1 the bytes are taken as they are: `under` may hold no picture yet below a weight of 1.
    """
    axis = 1 if weight.shape[1] > 1 else 0
    flat = weight.ravel()
    first, full = int(np.searchsorted(flat, 0, side="right")), int(np.searchsorted(flat, 1))

    def part(start: int, end: int) -> tuple[slice, ...]:
        return (slice(None),) * axis + (slice(start, end),)

    between = part(first, full)
    mixed = under[between] + weight[between if axis == 0 else (slice(None), slice(first, full))] * (
        over[between].astype(np.float32) - under[between]
    )
    under[between] = np.rint(mixed).astype(np.uint8)
    under[part(full, len(flat))] = over[part(full, len(flat))]
