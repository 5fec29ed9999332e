"""Pictures to mark, and what happens to pictures on their way."""

import io

import numpy as np
from PIL import Image

from marks.recipe import Recipe
from marks.watermark import Pixels
from marks.xmp import encoder_options

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
RECIPE = Recipe(
    "generate", "faces", "0f1e2d3c4b5a6978", seed=2**64 - 1, parameters={"truncation_psi": 0.7, "size": 256}
)


def scene(side: int = 256, seed: int = 0) -> Pixels:
    """Soft shapes before a gradient: about as busy as a portrait."""
    noise = np.random.RandomState(seed).randint(0, 256, (side // 16, side // 16, 3)).astype(np.uint8)
    shapes = np.asarray(Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)).astype(np.float32)
    slope = np.linspace(0, 120, side)[:, None, None]
    return (40 + 0.3 * shapes + slope).astype(np.uint8)


def encoded(picture: Pixels, picture_format: str = "JPEG", xmp: bytes = b"", **options: object) -> bytes:
    file = io.BytesIO()
    if xmp:
        options |= encoder_options(picture_format, xmp)
    Image.fromarray(picture).save(file, picture_format, **options)
    return file.getvalue()


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))
