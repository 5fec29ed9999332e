"""Where a photo is to be filled: white in a mask that came with it, or else where the photo itself is transparent."""
# H W picture

import numpy as np
from PIL import Image

from worker.errors import MaskRefused, PhotoRefused
from worker.photos import Photo, decoded
from worker.restoring import Hole

FILLED_FROM = 128
"""A mask fills where it is at least so bright, and a photo without a mask where it is less opaque."""
LARGEST_STRETCH = 1.05
"""A mask may have another size than its photo, and be so many times wider or narrower than the photo's shape."""


def hole_of(photo: Photo, mask: bytes | None, most_pixels: int) -> Hole:
    """[H, W] of the photo. mask: a JPEG, PNG or WebP, scaled to the photo; what is transparent in it fills nothing.

    Raises MaskRefused where it is missing, unreadable, of another shape, empty or all there is.
    """
    if mask is not None:
        hole = _of_mask(photo, mask, most_pixels)
    elif photo.opacity is not None:
        hole = photo.opacity < FILLED_FROM
    else:
        raise MaskRefused(
            "Nothing says where to fill: send a picture as the part mask, white where the photo is to be filled, or a "
            "photo with transparent holes."
        )
    if not hole.any():
        what = "mask is black everywhere" if mask is not None else "photo is transparent nowhere and no mask came"
        raise MaskRefused(f"The {what}: there is nothing to fill. White in the mask is what is filled.")
    if hole.all():
        raise MaskRefused("All of the photo is to be filled: leave some of it black in the mask to fill the rest from.")
    return hole


def _of_mask(photo: Photo, body: bytes, most_pixels: int) -> Hole:
    try:
        mask = decoded(body, most_pixels)
    except PhotoRefused as error:
        raise MaskRefused(f"The mask cannot be used. {str(error).replace('photo', 'mask')}") from None
    (width, height), (wide, high) = photo.size, mask.size
    stretch = wide * height / (high * width)
    if not 1 / LARGEST_STRETCH <= stretch <= LARGEST_STRETCH:
        raise MaskRefused(
            f"The mask has {wide}x{high} pixels and the photo, upright, {width}x{height}: they must have one shape."
        )
    levels = Image.fromarray(mask.pixels).convert("L")
    if mask.opacity is not None:
        levels = Image.composite(levels, Image.new("L", levels.size), Image.fromarray(mask.opacity))
    if levels.size != photo.size:
        levels = levels.resize(photo.size, Image.Resampling.BILINEAR)
    return np.asarray(levels) >= FILLED_FROM
