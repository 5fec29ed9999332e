from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.tiles import PATCH, Tiling, mosaic, padded, tiled


def photo(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(
    units=st.integers(1, 80), multiple=st.sampled_from([1, 4, 32]), margin=st.integers(0, 40), extra=st.integers(1, 60)
)
def test_tiles_cover_an_axis_and_share_their_margins(units: int, multiple: int, margin: int, extra: int) -> None:
    tiling = Tiling(-(-(2 * margin + extra) // multiple) * multiple + multiple, margin, multiple)
    length = units * multiple
    origins = tiling.origins(length)
    assert origins[0] == 0
    assert all(origin % multiple == 0 for origin in origins)
    assert origins == sorted(set(origins)), "none twice"
    assert origins[-1] + tiling.side >= length
    if len(origins) > 1:
        assert origins[-1] + tiling.side == length, "none looks over the end"
        overlaps = [first + tiling.side - second for first, second in pairwise(origins)]
        assert min(overlaps) >= 2 * margin


@pytest.mark.parametrize(("height", "width"), [(200, 300), (64, 300), (300, 64), (64, 64), (40, 52), (128, 132)])
def test_tiles_put_together_again_are_the_picture(height: int, width: int) -> None:
    picture, tiling = photo(height, width), Tiling(64, 12, 4)
    sizes = set()

    def run(tile: np.ndarray) -> np.ndarray:
        sizes.add(tile.shape)
        return 255 - tile

    np.testing.assert_array_equal(tiled(picture, tiling, run), 255 - picture)
    assert sizes == {(min(height, 64), min(width, 64), 3)}
    assert tiling.count(height, width) == len(tiling.origins(height)) * len(tiling.origins(width))


def test_tiles_that_disagree_meet_in_ramps() -> None:
    """Each tile of a level of its own: the worst case. Nowhere does it jump."""
    picture, tiling, levels = np.zeros([160, 160, 3], np.uint8), Tiling(64, 16, 4), iter(range(0, 250, 10))
    joined = tiled(picture, tiling, lambda tile: np.full_like(tile, next(levels))).astype(int)
    steps = max(np.abs(np.diff(joined, axis=axis)).max() for axis in (0, 1))
    assert joined.max() >= 150
    assert steps <= 50 / 16 + 2, "from one row of tiles to the next it is 40 or 50 levels, over 16 pixels"


def test_the_rim_of_a_tile_is_never_seen() -> None:
    picture, tiling = np.full([160, 224, 3], 9, np.uint8), Tiling(64, 16, 4)

    def run(tile: np.ndarray) -> np.ndarray:
        spoilt = np.full_like(tile, 200)
        spoilt[8:-8, 8:-8] = tile[8:-8, 8:-8]
        return spoilt

    joined = tiled(picture, tiling, run)
    assert (joined[8:-8, 8:-8] == 9).all()
    assert (joined[:8] == 200).any(), "but at the picture's own edge it is"


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (16, 16), (17, 16), (100, 301)])
def test_padding_reflects_to_a_multiple(shape: tuple[int, int]) -> None:
    picture = photo(*shape)
    grown = padded(picture, 16, 32)
    assert grown.shape[0] % 16 == grown.shape[1] % 16 == 0
    assert min(grown.shape[:2]) >= 32
    np.testing.assert_array_equal(grown[: shape[0], : shape[1]], picture)
    if shape == (17, 16):
        np.testing.assert_array_equal(grown[17], grown[15])


def test_a_mosaic_sees_all_places_alike() -> None:
    rows, columns = np.mgrid[0:1500, 0:2000]
    picture = np.stack([rows * 255 // 1500, columns * 255 // 2000, (rows + columns) % 256], 2).astype(np.uint8)
    seen = mosaic(picture, 512)
    assert seen.shape == (512, 512, 3)
    np.testing.assert_allclose(seen.mean(axis=(0, 1)), picture.mean(axis=(0, 1)), atol=6)
    np.testing.assert_allclose(seen.std(axis=(0, 1)), picture.std(axis=(0, 1)), rtol=0.1)
    np.testing.assert_array_equal(seen[:PATCH, :PATCH], picture[:PATCH, :PATCH])
    assert mosaic(picture[:20], 512).shape == (20, 512, 3)
