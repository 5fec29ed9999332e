"""What every picture that Pillow has opened needs before it is converted: to stand upright, and to have 8 bits."""

import numpy as np
from PIL import Image, ImageOps

SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I")


def upright(image: Image.Image) -> Image.Image:
    """As EXIF says that it was held; as it is where EXIF is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8; Pillow's own conversion makes all that is above 255 white."""
    if image.mode not in SIXTEEN_BITS:
        return image
    levels = np.asarray(image).astype(np.int64)
    return Image.fromarray((levels.clip(0, 65535) // 257).astype(np.uint8))
