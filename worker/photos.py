"""An uploaded photo as pixels: upright, in sRGB, 8 bits, opacity apart. Nothing else of the file goes any further."""
# H W picture, C channel

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from jobs.contract import LONGEST_PHOTO_SIDE
from models.opened_pictures import eight_bits, upright
from worker.errors import PhotoRefused
from worker.pictures import Picture

FORMATS = ("JPEG", "PNG", "WEBP")
"""No other decoder of Pillow is ever reached."""
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@dataclass(frozen=True, slots=True)
class Photo:
    """pixels: [H, W, 3] sRGB, 0..255. opacity: [H, W], 0..255, where the file has it."""

    pixels: Picture
    opacity: NDArray[np.uint8] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width, height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def shrunk(self, longest_side: int | None) -> "Photo":
        """With its longest side of so many pixels, by Lanczos; itself where it is no longer than that."""
        if longest_side is None or max(self.size) <= longest_side:
            return self
        share = longest_side / max(self.size)
        width, height = (max(1, round(side * share)) for side in self.size)
        return self._resized(width, height, Image.Resampling.LANCZOS)

    def enlarged(self, scale: int) -> "Photo":
        """So many times its size, by bicubic interpolation."""
        if scale == 1:
            return self
        width, height = (scale * side for side in self.size)
        return self._resized(width, height, Image.Resampling.BICUBIC)

    def _resized(self, width: int, height: int, by: Image.Resampling) -> "Photo":
        """Each colour counts as far as it is opaque: what nobody sees makes no rim around what is seen."""
        image = Image.fromarray(self.pixels)
        resized = image.resize((width, height), by)
        if self.opacity is None:
            return Photo(np.asarray(resized))
        image.putalpha(Image.fromarray(self.opacity))
        # One name for all three: each gives its memory back as soon as the next is there.
        image = image.convert("RGBa")
        image = image.resize((width, height), by)
        image = image.convert("RGBA")
        opacity = image.getchannel("A")
        # Where nothing is opaque there is nothing to divide by, and the colours stay that a network is to see there.
        resized.paste(image, mask=opacity.point(lambda level: 255 * (level > 0)))
        return Photo(np.asarray(resized), np.asarray(opacity))


def decoded(body: bytes, most_pixels: int) -> Photo:
    """The photo in a JPEG, PNG or WebP file. Of a JPEG with several pictures (MPO), the first.

    Raises PhotoRefused, with a sentence, for what is damaged, cut off, animated, larger than most_pixels, or of a side
    longer than LONGEST_PHOTO_SIDE.
    """
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            if image.width * image.height > most_pixels:
                raise PhotoRefused(
                    f"The photo has {image.width}x{image.height} pixels; at most {most_pixels} are taken."
                )
            if max(image.size) > LONGEST_PHOTO_SIDE:
                raise PhotoRefused(
                    f"The photo has {image.width}x{image.height} pixels; "
                    f"no side may be longer than {LONGEST_PHOTO_SIDE}."
                )
            if image.format != "MPO" and getattr(image, "is_animated", False):
                raise PhotoRefused("The photo is an animation; only still pictures are taken.")
            profile = image.info.get("icc_profile")
            image.load()
            return _plain(image, profile)
    except (PhotoRefused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoRefused(f"The photo is far larger than the {most_pixels} pixels that are taken.") from None
    except Exception as error:
        # A decoder may raise anything for a damaged file; what it says of the bytes goes into no log.
        raise PhotoRefused("The photo cannot be read: it is damaged, cut off, or no JPEG, PNG or WebP.") from error


def _plain(image: Image.Image, profile: bytes | None) -> Photo:
    for step in STEPS:
        image = step(image)
    opacity = None
    if image.mode in ("LA", "RGBA"):
        opacity = np.asarray(image.getchannel("A"))
        image = image.convert(image.mode.removesuffix("A"))
    return Photo(np.asarray(_in_srgb(image, profile)), opacity)


def _without_palette(image: Image.Image) -> Image.Image:
    """L, LA, RGB, RGBA or CMYK; a single transparent colour becomes opacity like any other."""
    if image.has_transparency_data:
        return image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


STEPS: tuple[Callable[[Image.Image], Image.Image], ...] = (upright, eight_bits, _without_palette)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """By the embedded profile; where there is none, or a broken or unfitting one, as browsers take it: as sRGB."""
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                SRGB,
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError):
            pass
        else:
            # None would say that it was converted in place.
            return converted or image
    return image.convert("RGB")
