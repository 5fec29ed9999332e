import random

import numpy as np
import pytest
from PIL import Image

from benchmarks.watermark import CHANGES, psnr_db
from marks.watermark import SMALLEST_SIDE, STRENGTHS, THRESHOLD, find, marked
from tests.marks.pictures import scene


def busy(side: int = 256) -> np.ndarray:
    """Noise at every scale, as foliage is."""
    chance, total = np.random.RandomState(3), np.zeros((side, side, 3), np.float32)
    for points in (16, 32, 64, 128):
        layer = Image.fromarray(chance.randint(0, 256, (points, points, 3)).astype(np.uint8))
        total += np.asarray(layer.resize((side, side), Image.Resampling.BICUBIC))
    return (total / 4).astype(np.uint8)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("picture", [scene(256), scene(600, seed=1), busy()], ids=["soft", "large", "busy"])
def test_it_survives(change: str, picture: np.ndarray) -> None:
    result = marked(picture)
    assert psnr_db(picture, result) >= 40
    assert find(Image.fromarray(CHANGES[change](result, random.Random(1)))).found


@pytest.mark.parametrize("seed", range(4))
def test_it_is_not_found_where_it_is_not(seed: int) -> None:
    assert find(Image.fromarray(scene(256, seed))).score < THRESHOLD - 1
    assert not find(Image.fromarray(busy())).found


def test_flat_and_extreme_pictures_are_no_trouble() -> None:
    for level in (0, 128, 255):
        flat = np.full((256, 300, 3), level, np.uint8)
        result = marked(flat)
        assert psnr_db(flat, result) > 44
        assert not find(Image.fromarray(flat)).found
    assert find(Image.fromarray(marked(np.full((256, 256, 3), 128, np.uint8)))).found


def test_small_pictures_stay_exactly_as_they_are() -> None:
    small = scene(SMALLEST_SIDE - 16)
    assert marked(small) is small
    wide = np.zeros((SMALLEST_SIDE - 1, 4000, 3), np.uint8)
    assert marked(wide) is wide


def test_equal_pictures_leave_equal_and_the_given_one_is_not_touched() -> None:
    picture = scene(256)
    before = picture.copy()
    assert np.array_equal(marked(picture), marked(picture.copy()))
    assert np.array_equal(picture, before)


def test_the_pattern_is_that_of_every_release() -> None:
    """Other pixels would need another MARKS_VERSION, and pictures marked before would not be found any more."""
    change = marked(np.full((128, 128, 3), 100, np.uint8)).astype(int) - 100
    assert change[:2, :8, 0].tolist() == EXPECTED
    assert (change[:, :, 0] == change[:, :, 1]).all()


EXPECTED = [[0, 1, -3, -3, 2, 2, 0, -1], [0, 2, 1, -1, 1, 1, -1, -1]]


def test_opacity_is_kept_and_large_pictures_are_marked_alike() -> None:
    opacity = np.random.RandomState(0).randint(0, 256, (300, 300, 1)).astype(np.uint8)
    transparent = np.concatenate([scene(304)[:300, :300], opacity], axis=2)
    result = marked(transparent)
    assert np.array_equal(result[:, :, 3:], opacity)
    assert np.array_equal(result[:, :, :3], marked(transparent[:, :, :3].copy()))
    large = np.asarray(Image.fromarray(scene(512)).resize((1500, 1000)))
    assert find(Image.fromarray(marked(large))).found


def test_busier_pictures_carry_more() -> None:
    added = [psnr_db(picture, marked(picture)) for picture in (scene(1024), busy(512))]
    assert added[0] > 48
    assert added[0] > added[1] + 2
    assert max(strength for _, strength in STRENGTHS) <= 2.5
