"""Faces that lie in a model's folder, made beforehand: what /face gives while none can be made."""

from functools import cache
from pathlib import Path

SPARE_FOLDER = "spare"
SPARE_SEEDS = "0-23"
SPARE_PSI = 0.7


@cache
def spare_faces(folder: Path) -> dict[int, bytes]:
    """By seed: JPEG of the model's own size, at SPARE_PSI, marked as any other. Empty where the folder has none."""
    return {int(path.stem): path.read_bytes() for path in sorted((folder / SPARE_FOLDER).glob("*.jpg"))}
