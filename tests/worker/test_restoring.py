"""Around the networks that learnt a task: where holes are, what fills them, whose brightness a coloured photo has."""

import numpy as np
import pytest
from PIL import Image

from tests.photo_files import picture, saved
from worker.errors import MaskRefused
from worker.masks import hole_of
from worker.photos import Photo, decoded
from worker.pictures import Picture
from worker.restoring import GREY, LONGEST, SIDE, SOFT, coloured, filled, holes

GREEN = (30, 200, 60)


def noise(height: int, width: int) -> Picture:
    return np.random.default_rng(0).integers(90, 110, (height, width, 3), dtype=np.uint8)


def hole(height: int, width: int, *places: tuple[slice, slice]) -> np.ndarray:
    made = np.zeros((height, width), np.bool_)
    for place in places:
        made[place] = True
    return made


def green(shown: Picture) -> Picture:
    return np.broadcast_to(np.uint8(GREEN), (*shown.shape[:2], 3))


def test_holes_are_told_apart_and_boxed_tightly() -> None:
    made = hole(700, 900, np.s_[10:20, 30:35], np.s_[15:18, 35:40], np.s_[500:600, 700:701])
    assert [(box.top, box.left, box.bottom, box.right) for box in holes(made)] == [
        (10, 30, 20, 40),
        (500, 700, 600, 701),
    ]
    assert [box.place for box in holes(hole(1, 3, np.s_[0:1, 1:2]))] == [np.s_[0:1, 1:2]]


def test_around_a_hole_is_the_very_photo_and_nothing_of_what_it_covered_in_it() -> None:
    place = np.s_[100:160, 120:200]
    photo, made = noise(300, 400), hole(300, 400, place)
    photo[made] = (255, 0, 0)
    answer = filled(photo, made, green)
    np.testing.assert_array_equal(answer[~made], photo[~made])
    assert (answer[100 + SOFT : 160 - SOFT, 120 + SOFT : 200 - SOFT] == GREEN).all()
    assert answer[made][:, 0].max() <= 115, "no red is left"
    # From the surroundings to what was drawn, a fifth at a time.
    steps = answer[130, 120 : 120 + SOFT, 1].astype(int)
    assert (np.diff(steps) > 5).all()
    assert 100 < steps[0] < 140


def test_a_network_sees_the_surroundings_at_its_own_size_with_grey_in_the_hole() -> None:
    shown: list[Picture] = []

    def watched(seen: Picture) -> Picture:
        shown.append(seen)
        return green(seen)

    made = hole(1200, 1600, np.s_[300:900, 400:1200], np.s_[10:14, 10:14])
    photo = noise(1200, 1600)
    photo[made] = (255, 0, 0)
    filled(photo, made, watched)
    small, large = sorted(shown, key=lambda seen: seen.size)
    assert small.shape == (14 + 48, 14 + 48, 4), "half of its side, and at least 48 pixels of what is there"
    assert min(large.shape[:2]) == SIDE
    assert max(large.shape[:2]) <= LONGEST
    for seen in shown:
        inside = seen[..., 3] == 255
        assert set(np.unique(seen[..., 3])) == {0, 255}
        assert (seen[inside][:, :3] == GREY).all()
        assert seen[~inside][:, 0].max() <= 111, "nothing of what the hole covers"


def test_a_coloured_photo_keeps_its_brightness_at_its_full_size() -> None:
    shown = []

    def tinted(seen: Picture) -> Picture:
        shown.append(seen)
        return np.clip(seen.astype(int) // 2 + [40, 10, 0], 0, 255).astype(np.uint8)

    photo = noise(600, 800)
    photo[::2] += 40
    answer = coloured(photo, tinted)
    assert (shown[0].shape, np.ptp(shown[0], axis=2).max()) == ((SIDE, 341, 3), 0), "the network sees grey"
    luma = [np.asarray(Image.fromarray(levels).convert("L")).astype(int) for levels in (answer, photo)]
    assert np.abs(luma[0] - luma[1]).max() <= 1
    assert answer[..., 0].mean() - answer[..., 2].mean() == pytest.approx(40, abs=3)


def test_where_to_fill_is_white_in_a_mask_of_any_size_or_transparent_in_the_photo() -> None:
    photo = Photo(noise(40, 60))
    mask = Image.new("L", (30, 20), 0)
    mask.paste(255, (15, 0, 30, 20))
    found = hole_of(photo, saved(mask, "PNG"), 10_000)
    assert found.shape == (40, 60)
    assert (found[:, 32:].all(), found[:, :28].any()) == (True, False)
    see_through = Image.new("RGBA", (60, 40), (255, 255, 255, 0))
    see_through.paste((255, 255, 255, 255), (0, 0, 10, 10))
    np.testing.assert_array_equal(hole_of(photo, saved(see_through, "PNG"), 10_000), hole(40, 60, np.s_[:10, :10]))
    holed = picture("RGBA")
    holed.paste((0, 0, 0, 0), (5, 6, 7, 8))
    found = hole_of(decoded(saved(holed, "PNG"), 10_000), None, 10_000)
    np.testing.assert_array_equal(found, hole(40, 60, np.s_[6:8, 5:7]))


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (None, "Nothing says where to fill"),
        (saved(Image.new("L", (60, 40), 0), "PNG"), "mask is black everywhere"),
        (saved(Image.new("L", (60, 40), 255), "PNG"), "All of the photo is to be filled"),
        (saved(Image.new("L", (40, 60), 255), "PNG"), "40x60 pixels and the photo, upright, 60x40"),
        (saved(Image.new("L", (600, 400), 255), "PNG"), "The mask has 600x400 pixels; at most 10000 are taken"),
        (b"white", "The mask cannot be used. The mask cannot be read"),
    ],
)
def test_a_mask_of_no_use_is_refused_with_a_sentence(mask: bytes | None, words: str) -> None:
    with pytest.raises(MaskRefused, match=words):
        hole_of(Photo(noise(40, 60)), mask, 10_000)
    opaque = Photo(noise(40, 60), np.full((40, 60), 255, np.uint8))
    with pytest.raises(MaskRefused, match="transparent nowhere and no mask came"):
        hole_of(opaque, None, 10_000)
