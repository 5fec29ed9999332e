"""Arrays to encoded bytes, and where they come from. Unsigned, the same array gives the same bytes: no moment, machine
or person is written into them."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.contract import PictureFormat
from marks.recipe import Recipe
from marks.stamp import Stamp
from marks.xmp import encoder_options
from worker.errors import PhotoRefused

Picture = NDArray[np.uint8]
"""[height, width, 3] RGB, 0..255."""

JPEG_QUALITY = 95
"""Nearly as good as the picture itself (41 dB and more), at a third of a PNG."""
FULL_CHROMA_UP_TO = 256
"""Sides, in pixels, up to which JPEG keeps colour at full resolution (4:4:4). Halved (4:2:0), the lips and irises of a
128 pixel face bleed, for 1.5 KiB saved; on larger pictures it saves a quarter and nobody sees it."""
WEBP_QUALITY = 90
WEBP_METHOD = 2
"""Half the time of Pillow's 4, and the same size within 2 %."""
PNG_LEVEL = 3
"""Half the time of zlib's 6 (a ninth at 512 pixels), for 6 to 10 % more bytes."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as it leaves the worker. keep_s: see JobResult."""

    body: bytes
    media_type: str
    keep_s: float | None = None


def resized(picture: Picture, size: int) -> Picture:
    """The square picture with sides of `size` pixels, by Lanczos; itself when it is so already."""
    if picture.shape[:2] == (size, size):
        return picture
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))


def stamped(
    picture: Picture, picture_format: PictureFormat, recipe: Recipe, stamp: Stamp, photo: bytes | None = None
) -> EncodedPicture:
    """The picture as a file of that format, marked. photo: the upload that it was made from."""
    plain = encoded(stamp.in_pixels(picture), picture_format, stamp.metadata(recipe))
    return EncodedPicture(stamp.over(plain.body, plain.media_type, recipe, photo), plain.media_type)


def encoded(picture: Picture, picture_format: PictureFormat, xmp: bytes = b"") -> EncodedPicture:
    """The picture as a file of that format, with that XMP packet."""
    buffer = io.BytesIO()
    options = _options(picture_format, max(picture.shape[:2]))
    if xmp:
        options |= encoder_options(str(options["format"]), xmp)
    Image.fromarray(picture).save(buffer, **options)
    return EncodedPicture(buffer.getvalue(), picture_format.media_type)


def check_length(longest: int, picture_format: PictureFormat) -> None:
    """Before the work, at whose end the encoder would refuse. longest: pixels along the picture's longer side.

    Raises PhotoRefused.
    """
    if longest > picture_format.longest_side:
        raise PhotoRefused(
            f"The photo would become a picture of {longest} pixels along a side, and {picture_format} has "
            f"{picture_format.longest_side} at most; ask for PNG, or for a smaller picture."
        )


def _options(picture_format: PictureFormat, longest_side: int) -> dict[str, Any]:
    match picture_format:
        case PictureFormat.JPEG:
            subsampling = "4:4:4" if longest_side <= FULL_CHROMA_UP_TO else "4:2:0"
            return {"format": "JPEG", "quality": JPEG_QUALITY, "subsampling": subsampling}
        case PictureFormat.PNG:
            return {"format": "PNG", "compress_level": PNG_LEVEL}
        case PictureFormat.WEBP:
            return {"format": "WEBP", "quality": WEBP_QUALITY, "method": WEBP_METHOD}
