"""sheet.jpg: what a model draws, at a glance. Faces of seeds, or drawn scenes above what became of them."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from models.catalogue import ModelEntry
from models.contact_sheet import Picture, save_sheet
from models.engines.onnx_engine import OnnxEngine
from models.manifest import GeneratorManifest
from models.scenes import scenes
from personne.commands.model_card import SHEET_FILE
from personne.commands.sample import draw_faces

SHEET_SEEDS = range(40)
SHEET_COLUMNS = 10
SHEET_PSI = 0.7
LARGEST_TILE = 256


def draw_sheet(entry: ModelEntry) -> None:
    """Write the contact sheet into the model's folder; larger pictures are shown at 256 pixels."""
    if isinstance(entry.manifest, GeneratorManifest):
        tiles = (_tile(picture) for picture in draw_faces(entry, SHEET_SEEDS, SHEET_PSI, device="cpu"))
        save_sheet(tiles, SHEET_COLUMNS, entry.folder / SHEET_FILE)
    else:
        multiple = entry.translator.size_multiple
        originals = scenes(-(-LARGEST_TILE // multiple) * multiple)
        pictures = [*originals, *_translated(entry, originals)]
        save_sheet([_tile(picture) for picture in pictures], len(originals), entry.folder / SHEET_FILE)


def _translated(entry: ModelEntry, pictures: list[Picture]) -> Iterator[Picture]:
    engine = OnnxEngine(entry.graph_path("translation"), device="cpu")
    try:
        for picture in pictures:
            yield engine.run({"picture": picture[np.newaxis]})["translation"][0]
    finally:
        engine.close()


def _tile(picture: Picture) -> Picture:
    if max(picture.shape) <= LARGEST_TILE:
        return picture
    small = Image.fromarray(picture).resize((LARGEST_TILE, LARGEST_TILE), Image.Resampling.LANCZOS)
    return np.asarray(small)
