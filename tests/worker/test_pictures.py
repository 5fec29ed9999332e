import io

import numpy as np
import pytest
from PIL import Image

from jobs.contract import PictureFormat
from worker.errors import PhotoRefused
from worker.pictures import Picture, check_length, encoded, resized


def blend(side: int) -> Picture:
    """A smooth picture: red to the right, green downwards, blue in rings."""
    down, right = np.mgrid[0:side, 0:side] / (side - 1)
    rings = (1 + np.sin(8 * np.hypot(down - 0.5, right - 0.5))) / 2
    return (np.stack([right, down, rings], axis=-1) * 255).astype(np.uint8)


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


@pytest.mark.parametrize(
    ("picture_format", "name", "media_type", "mean_error"),
    [
        (PictureFormat.JPEG, "JPEG", "image/jpeg", 2.0),
        (PictureFormat.PNG, "PNG", "image/png", 0.0),
        (PictureFormat.WEBP, "WEBP", "image/webp", 3.0),
    ],
)
def test_a_picture_survives_its_format(
    picture_format: PictureFormat, name: str, media_type: str, mean_error: float
) -> None:
    picture = blend(64)
    found = encoded(picture, picture_format)
    image = opened(found.body)
    assert (image.format, image.mode, image.size, found.media_type) == (name, "RGB", (64, 64), media_type)
    assert np.abs(np.asarray(image).astype(int) - picture).mean() <= mean_error


@pytest.mark.parametrize("picture_format", list(PictureFormat))
def test_encoding_is_deterministic_and_writes_no_metadata(picture_format: PictureFormat) -> None:
    first, second = (encoded(blend(48), picture_format).body for _ in range(2))
    assert first == second
    image = opened(first)
    assert not dict(image.getexif())
    assert not {"comment", "exif", "xmp", "icc_profile", "Software"} & set(image.info)


@pytest.mark.parametrize(("side", "chroma"), [(128, (1, 1)), (256, (1, 1)), (512, (2, 2))])
def test_small_jpegs_keep_colour_at_full_resolution(side: int, chroma: tuple[int, int]) -> None:
    image = opened(encoded(blend(side), PictureFormat.JPEG).body)
    assert image.layer[0][1:3] == chroma  # type: ignore[attr-defined]


def test_lanczos_shrinks_to_the_size_asked() -> None:
    small = resized(blend(64), 24)
    assert (small.shape, small.dtype) == ((24, 24, 3), np.uint8)
    assert np.abs(small.astype(int) - blend(24)).mean() < 4


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    picture = blend(32)
    assert resized(picture, 32) is picture


@pytest.mark.parametrize("picture_format", [PictureFormat.JPEG, PictureFormat.WEBP])
def test_the_longest_side_of_a_format_is_its_encoders(picture_format: PictureFormat) -> None:
    longest = picture_format.longest_side
    check_length(longest, picture_format)
    line = np.zeros([1, longest, 3], np.uint8)
    assert opened(encoded(line, picture_format).body).size == (longest, 1)
    with pytest.raises((ValueError, OSError)):
        encoded(np.zeros([1, longest + 1, 3], np.uint8), picture_format)
    with pytest.raises(PhotoRefused, match=f"of {longest + 1} pixels along a side, and {picture_format} has {longest}"):
        check_length(longest + 1, picture_format)
