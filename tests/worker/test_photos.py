"""Uploaded files as pixels: what works, what is refused, and what goes no further."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.photo_files import (
    BLUE,
    GOOD,
    HEIGHT,
    RED,
    REFUSED_BY_DECODER,
    REFUSED_BY_HEADER,
    WIDTH,
    half_transparent,
    picture,
    saved,
    swapped_profile,
    with_orientation,
)
from worker.errors import PhotoRefused
from worker.photos import Photo, decoded

MOST = 25_000_000


def test_its_colours_are_those_of_the_photo() -> None:
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})):
        pixels = decoded(saved(picture(), kind, **options), MOST).pixels.astype(int)
        assert np.abs(pixels[10, 10] - RED).max() <= 3, kind
        assert np.abs(pixels[10, 50] - BLUE).max() <= 3, kind


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_of_photo_is_read(name: str) -> None:
    photo = decoded(GOOD[name](), MOST)
    assert photo.size == (WIDTH, HEIGHT)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert (photo.opacity is not None) == ("opacity" in name or "transparent" in name or name == "webp with C2PA")
    if "16 bits" in name:
        assert set(np.unique(photo.pixels)) <= {155, 156}, "40,000 of 65,535"
    elif "grey" not in name and "white" not in name:
        assert photo.pixels[10, 10, 0] > photo.pixels[10, 10, 2], "red on the left"


def test_what_is_transparent_is_told() -> None:
    opacity = decoded(GOOD["png, RGB with a transparent colour"](), MOST).opacity
    assert opacity is not None
    assert (opacity[10, 10], opacity[10, 50]) == (0, 255)
    kept = decoded(saved(half_transparent(), "PNG"), MOST)
    assert kept.opacity is not None
    assert np.unique(kept.opacity).tolist() == [128]
    assert np.abs(kept.pixels[10, 10].astype(int) - RED).max() == 0


@pytest.mark.parametrize("name", REFUSED_BY_DECODER)
def test_what_is_damaged_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(PhotoRefused, match=r"^The photo [a-z].*\.$"):
        decoded(REFUSED_BY_DECODER[name](), MOST)


@pytest.mark.parametrize("name", REFUSED_BY_HEADER)
def test_what_the_web_would_refuse_is_refused_here_too(name: str) -> None:
    if name == "png of nothing but tiny chunks":
        pytest.skip("The decoder does not mind its chunks, and the web never lets them through.")
    with pytest.raises(PhotoRefused, match=r"^The photo [a-z].*\.$"):
        decoded(REFUSED_BY_HEADER[name][0](), MOST)


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(PhotoRefused, match="60x40 pixels; at most 2000"):
        decoded(saved(picture(), "PNG"), 2000)


def test_a_photo_with_too_long_a_side_is_refused_before_it_is_decoded() -> None:
    for size in ((65_501, 1), (1, 65_501)):
        with pytest.raises(PhotoRefused, match=f"{size[0]}x{size[1]} pixels; no side may be longer than 65500"):
            decoded(saved(Image.new("L", size), "PNG"), MOST)
    assert decoded(saved(Image.new("L", (65_500, 1)), "PNG"), MOST).size == (65_500, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_camera_was_held(orientation: int) -> None:
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90,
    }
    as_stored = np.asarray(Image.open(io.BytesIO(with_orientation(1))))
    upright = decoded(with_orientation(orientation), MOST).pixels
    np.testing.assert_array_equal(upright, turns[orientation](as_stored))


def test_an_embedded_profile_is_heeded() -> None:
    plain = decoded(saved(picture(), "PNG"), MOST).pixels.astype(int)
    seen = decoded(saved(picture(), "PNG", icc_profile=swapped_profile()), MOST).pixels.astype(int)
    assert np.abs(seen - plain[:, :, ::-1]).max() <= 3, "red is blue there"
    with_opacity = decoded(saved(picture("RGBA"), "PNG", icc_profile=swapped_profile()), MOST)
    assert np.abs(with_opacity.pixels.astype(int) - seen).max() <= 1
    assert with_opacity.opacity is not None


def test_a_profile_that_does_not_fit_is_as_none() -> None:
    grey = saved(picture("L"), "PNG", icc_profile=swapped_profile())
    np.testing.assert_array_equal(decoded(grey, MOST).pixels, decoded(saved(picture("L"), "PNG"), MOST).pixels)


def cut_out(side: int, edge: int) -> Image.Image:
    """Red up to the edge, beside it black that nobody sees."""
    levels = np.zeros([side, side, 4], np.uint8)
    levels[:, :edge] = (255, 0, 0, 255)
    return Image.fromarray(levels)


@pytest.mark.parametrize(("side", "edge", "longest", "scale"), [(512, 258, 128, 1), (60, 30, None, 4)])
def test_what_nobody_sees_makes_no_dark_rim(side: int, edge: int, longest: int | None, scale: int) -> None:
    photo = decoded(saved(cut_out(side, edge), "PNG"), MOST).shrunk(longest).enlarged(scale)
    assert photo.opacity is not None
    share = photo.opacity[..., None] / 255
    over_white = photo.pixels * share + 255 * (1 - share)
    assert 0 < share.min(initial=1, where=share > 0) < 0.9, "there is something between"
    assert over_white[..., 0].min() >= 254, "red over white is nowhere darker"
    assert np.abs(over_white[..., 1] - 255 * (1 - share[..., 0])).max() <= 1


def test_opaque_and_wholly_transparent_places_keep_their_colours() -> None:
    image = picture("RGBA", (200, 100))
    plain = np.asarray(picture(size=(200, 100)).resize((50, 25), Image.Resampling.LANCZOS))
    for opacity in (255, 0):
        image.putalpha(opacity)
        np.testing.assert_array_equal(decoded(saved(image, "PNG"), MOST).shrunk(50).pixels, plain)


def test_smaller_keeps_its_shape_and_never_grows() -> None:
    photo = decoded(saved(picture("RGBA", (300, 200)), "PNG"), MOST)
    smaller = photo.shrunk(30)
    assert smaller.size == (30, 20)
    assert smaller.opacity is not None
    assert smaller.opacity.shape == (20, 30)
    assert photo.shrunk(300) is photo
    assert photo.shrunk(5000) is photo
    assert Photo(np.zeros([1, 500, 3], np.uint8)).shrunk(10).size == (10, 1)
