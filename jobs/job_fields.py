"""What the kinds of job are made of."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

Edits = tuple[tuple[str, float], ...]
"""Attributes, each with the strength by which a face is moved along its direction."""

LONGEST_PHOTO_SIDE = 65_500
"""Of a photo that is sent in, in pixels: as long as a JPEG can be. A line of a pixel's height may be millions long
within every limit of pixels, and a network, which wants some height, would be given sixty times as many."""

Mixes = tuple[tuple[int, int, int, float], ...]
"""Of each: another seed, the first and last of the style layers that come from it, and how far: 1 is all the way."""


class PictureFormat(StrEnum):
    """How a picture is encoded."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        return "image/jpeg" if self is PictureFormat.JPEG else f"image/{self.value}"

    @property
    def longest_side(self) -> int:
        """In pixels; encoders write no picture that is wider or higher."""
        return LONGEST_SIDES[self]


LONGEST_SIDES = MappingProxyType(
    {
        # The format would have 35 more; libjpeg takes none of them.
        PictureFormat.JPEG: 65_500,
        PictureFormat.PNG: 2**31 - 1,
        PictureFormat.WEBP: 16_383,
    }
)


class AnimationFormat(StrEnum):
    """How a moving picture is encoded."""

    WEBP = "webp"
    GIF = "gif"
    MP4 = "mp4"

    @property
    def media_type(self) -> str:
        return "video/mp4" if self is AnimationFormat.MP4 else f"image/{self.value}"


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Jobs with equal keys can run in one batch."""

    kind: str
    model: str
