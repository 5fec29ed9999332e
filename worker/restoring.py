"""What surrounds a network that learnt from pairs: colours at a photo's own brightness, holes filled from around them.

Such a network knows pictures of some hundred pixels. It is shown the photo, or the place around a hole, at that size;
what it drew is then brought to the photo's, where every pixel that was not asked for stays as it is.
"""
# H W picture, C channel

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from worker.pictures import Picture

Hole = NDArray[np.bool_]
"""[H, W]: where a picture is to be filled."""
Draw = Callable[[Picture], Picture]
"""What a network makes of a picture, at its size."""

SIDE = 256
"""The shorter side, in pixels, at which a network sees a picture; it learnt on crops of 128, cut of 288."""
LONGEST = 3 * SIDE
CONTEXT = 48
"""Around a hole, the network sees half of the hole's longer side, and at least so many pixels."""
SOFT = 4
"""Pixels inside a hole's rim over which what surrounds it passes into what was drawn."""
CELLS = 32
"""Holes are told apart on a grid of so many cells by so many."""
GREY = 128
"""What stands in a hole, so that nothing of the photo is left there; the graph fills it smoothly, whatever it is."""


@dataclass(frozen=True, slots=True)
class Box:
    """Rows from top up to bottom, columns from left up to right."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def place(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def side(self) -> int:
        """The longer one."""
        return max(self.bottom - self.top, self.right - self.left)

    def grown(self, by: int, height: int, width: int) -> "Box":
        """By so many pixels on each side, as far as the picture goes."""
        lower, right = min(self.bottom + by, height), min(self.right + by, width)
        return Box(max(self.top - by, 0), max(self.left - by, 0), lower, right)


def coloured(pixels: Picture, draw: Draw) -> Picture:
    """The photo's own luma at its full size, with the colours (Cb and Cr of ITU-R BT.601) that were drawn of it."""
    luma = Image.fromarray(pixels).convert("L")
    drawn = draw(np.asarray(_seen(luma).convert("RGB")))
    _, blue, red = Image.fromarray(drawn).convert("YCbCr").split()
    colours = [plane.resize(luma.size, Image.Resampling.BICUBIC) for plane in (blue, red)]
    return np.asarray(Image.merge("YCbCr", [luma, *colours]).convert("RGB"))


def filled(pixels: Picture, hole: Hole, draw: Draw) -> Picture:
    """The photo with its holes filled; around them, the very pixels that it has.

    draw: [H, W, 4], the last channel 255 in a hole and 0 around it -> [H, W, 3].
    """
    picture, left = pixels.copy(), hole.copy()
    for box in holes(hole):
        seen = box.grown(max(CONTEXT, box.side // 2), *hole.shape)
        here = np.zeros_like(hole[seen.place])
        inner = slice(box.top - seen.top, box.bottom - seen.top), slice(box.left - seen.left, box.right - seen.left)
        here[inner] = left[box.place]
        if here.any():
            drawn = _drawn(picture[seen.place], left[seen.place], draw)
            _lay_in(picture[seen.place], here, left[seen.place], drawn)
            left[box.place] = False
    return picture


def holes(hole: Hole) -> Iterator[Box]:
    """Where the holes are: one box for what hangs together on a coarse grid."""
    edges = [np.unique(np.linspace(0, side, CELLS + 1).astype(int)) for side in hole.shape]
    by_rows = np.logical_or.reduceat(hole, edges[0][:-1], axis=0)
    cells = np.logical_or.reduceat(by_rows, edges[1][:-1], axis=1)
    left = {(int(row), int(column)) for row, column in np.argwhere(cells)}
    while left:
        found = _together(min(left), left)
        rows, columns = ([cell[axis] for cell in found] for axis in (0, 1))
        top, bottom = edges[0][min(rows)], edges[0][max(rows) + 1]
        start, end = edges[1][min(columns)], edges[1][max(columns) + 1]
        inside = hole[top:bottom, start:end]
        across, down = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
        yield Box(top + down[0], start + across[0], top + down[-1] + 1, start + across[-1] + 1)


def _together(first: tuple[int, int], left: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """The cells that touch the first one, and those that touch these; they leave the set."""
    found, reached = [], [first]
    left.discard(first)
    while reached:
        row, column = reached.pop()
        found.append((row, column))
        around = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
        left -= around
        reached += around
    return found


def _seen(picture: Image.Image) -> Image.Image:
    """At the size that a network knows, where it is larger."""
    share = min(1.0, SIDE / min(picture.size), LONGEST / max(picture.size))
    width, height = (max(1, round(side * share)) for side in picture.size)
    return picture if share == 1 else picture.resize((width, height), Image.Resampling.LANCZOS)


def _drawn(pixels: Picture, hole: Hole, draw: Draw) -> Picture:
    """What the network would have in the hole, at the size of the pixels."""
    small = _seen(Image.fromarray(pixels))
    mask = Image.fromarray(hole.astype(np.uint8) * 255)
    if small.size != mask.size:
        # Whatever has something of the hole in it is hole: of what lies there, nothing is to be seen.
        mask = mask.resize(small.size, Image.Resampling.BOX).point(lambda level: 255 * (level > 0))
        mask = mask.filter(ImageFilter.MaxFilter(3))
    levels, inside = np.array(small), np.asarray(mask)
    levels[inside > 0] = GREY
    drawn = np.where(inside[..., None] > 0, draw(np.dstack([levels, inside])), levels)
    return np.asarray(Image.fromarray(drawn).resize(pixels.shape[1::-1], Image.Resampling.BICUBIC))


def _lay_in(picture: Picture, hole: Hole, unknown: Hole, drawn: Picture) -> None:
    """Fill the hole in place. Near its rim what surrounds it is carried on inward, and passes into what was drawn; what
    the hole covered is nowhere to be seen. unknown: this hole and others."""
    unknown = unknown.copy()
    for ring in range(1, SOFT + 1):
        inner = np.asarray(Image.fromarray(hole.astype(np.uint8) * 255).filter(ImageFilter.MinFilter(3))) > 0
        rows, columns = np.nonzero(hole & ~inner)
        ours = drawn[rows, columns].astype(np.float32)
        around = _mean_around(picture, unknown, rows, columns, ours)
        picture[rows, columns] = np.rint(around + ring / (SOFT + 1) * (ours - around)).astype(np.uint8)
        unknown[rows, columns] = False
        hole = inner
    picture[hole] = drawn[hole]


def _mean_around(
    picture: Picture,
    unknown: Hole,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    otherwise: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Of each of these pixels, the mean of those of its eight neighbours that are known."""
    height, width = unknown.shape
    total, count = np.zeros((len(rows), 3), np.float32), np.zeros((len(rows), 1), np.float32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row, column = (rows + down).clip(0, height - 1), (columns + right).clip(0, width - 1)
            known = ~unknown[row, column, None]
            total += picture[row, column] * known
            count += known
    return np.where(count > 0, total / np.maximum(count, 1), otherwise)
