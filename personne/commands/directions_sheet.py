"""A sheet that shows what directions do: a row of one face for each, from its least strength to its greatest."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.contact_sheet import contact_sheet
from models.directions import Direction
from personne.commands.directions_range import move
from personne.commands.latent_faces import LatentFaces

STEPS = 7
SEED = 0
LARGEST_TILE = 96
CAPTION = 110


def save_directions_sheet(
    faces: LatentFaces, directions: Sequence[Direction], path: Path, seeds: Sequence[int] = (SEED,)
) -> None:
    """Write the sheet: a row for each direction and seed, its name and range in front."""
    rows, captions = [], []
    for direction in directions:
        for seed in seeds:
            rows += strip(faces, direction, seed)
            captions.append(f"{direction.name}\n{direction.low:+g} to {direction.high:+g}")
    sheet = contact_sheet(rows, STEPS)
    side = sheet.height // len(captions)
    captioned = Image.new("RGB", (sheet.width + CAPTION, sheet.height), "white")
    captioned.paste(sheet, (CAPTION, 0))
    draw = ImageDraw.Draw(captioned)
    for row, caption in enumerate(captions):
        draw.multiline_text((6, row * side + side // 2), caption, fill="black", anchor="lm")
    captioned.save(path, quality=88)


def strip(faces: LatentFaces, direction: Direction, seed: int) -> list[NDArray[np.uint8]]:
    """One face in STEPS strengths, the middle one being itself."""
    half = STEPS // 2
    strengths = [*np.linspace(direction.low, 0, half + 1), *np.linspace(0, direction.high, half + 1)[1:]]
    z = faces.z_of(range(seed, seed + 1))
    ws = np.concatenate([move(faces, direction, float(strength), z) for strength in strengths])
    return [_tile(picture) for picture in faces.pictures(ws)]


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if len(picture) <= LARGEST_TILE:
        return picture
    return np.asarray(Image.fromarray(picture).resize((LARGEST_TILE, LARGEST_TILE), Image.Resampling.LANCZOS))
