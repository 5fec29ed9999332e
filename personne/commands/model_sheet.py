"""sheet.jpg: what a model draws, at a glance. Faces of seeds, or drawn scenes above what became of them.

A translator gets two pictures more, before.jpg and after.jpg, by which people choose it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from jobs.contract import PictureFormat
from marks import Mark
from marks.stamp import Stamp
from models.catalogue import Catalogue, ModelEntry
from models.contact_sheet import Picture, save_sheet
from models.engines.onnx_engine import OnnxEngine
from models.manifest import GeneratorManifest, TranslatorManifest
from models.opened_pictures import eight_bits, upright
from models.scenes import scenes
from models.spare_faces import SPARE_FOLDER, SPARE_PSI, SPARE_SEEDS
from personne.commands.model_card import SHEET_FILE
from personne.commands.sample import draw_faces, pattern_of, sample_faces
from worker.restoring import Hole
from worker.tasks.translate import restored

SHEET_SEEDS = range(40)
SHEET_COLUMNS = 10
SHEET_PSI = 0.7
LARGEST_TILE = 256
THUMBNAIL = (320, 240)
WHOLE = 1024
"""Pictures of up to so many pixels squared are translated whole."""


def draw_sheet(entry: ModelEntry, example: Path | None = None) -> None:
    """Write the contact sheet into the model's folder; larger pictures are shown at 256 pixels.

    example: the photo of a translator's before.jpg; None: a drawn scene. Raises OSError where it cannot be read.
    """
    if isinstance(entry.manifest, GeneratorManifest):
        tiles = (_tile(picture) for picture in draw_faces(entry, SHEET_SEEDS, SHEET_PSI, device="cpu"))
        save_sheet(tiles, SHEET_COLUMNS, entry.folder / SHEET_FILE)
        return
    originals = [_given(entry.translator, picture) for picture in scenes(LARGEST_TILE)]
    *pictures, after = _translated(entry, [*originals, before := _given(entry.translator, _before(example))])
    save_sheet([*originals, *pictures], len(originals), entry.folder / SHEET_FILE)
    for moment, picture in (("before", before), ("after", after)):
        Image.fromarray(picture).save(entry.folder / f"{moment}.jpg", quality=90)


def draw_spare_faces(entry: ModelEntry) -> None:
    """Write the faces that the service gives while it can make none; unsigned, since that is for whoever runs it."""
    alone = Catalogue({entry.manifest.name: entry})
    pattern = pattern_of(entry, alone, truncation_psi=None, default_psi=SPARE_PSI, picture_format=PictureFormat.JPEG)
    stamp = Stamp((Mark.XMP, Mark.WATERMARK))
    folder = entry.folder / SPARE_FOLDER
    sample_faces(pattern, entry, seeds=SPARE_SEEDS, out=folder, grid=False, device="cpu", stamp=stamp)


def _before(example: Path | None) -> Picture:
    """The photo, or a drawn scene, cut to a thumbnail's shape."""
    if example is None:
        photo = Image.fromarray(scenes(THUMBNAIL[0])[0])
    else:
        with Image.open(example) as opened:
            photo = eight_bits(upright(opened)).convert("RGB")
    return np.asarray(ImageOps.fit(photo, THUMBNAIL, Image.Resampling.LANCZOS))


def _given(manifest: TranslatorManifest, picture: Picture) -> Picture:
    """What a translator with a task is there for: a grey picture, a small one enlarged, one with a hole."""
    image = Image.fromarray(picture)
    if manifest.task == "colourise":
        return np.asarray(image.convert("L").convert("RGB"))
    if manifest.scale > 1:
        small = image.resize([side // manifest.scale for side in image.size], Image.Resampling.LANCZOS)
        return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC))
    hole = _hole(manifest, picture)
    return picture if hole is None else np.where(hole[..., None], np.uint8(255), picture)


def _hole(manifest: TranslatorManifest, picture: Picture) -> Hole | None:
    """A third of the picture's sides, in its middle."""
    if not manifest.takes_mask:
        return None
    height, width = picture.shape[:2]
    hole = np.zeros((height, width), np.bool_)
    hole[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = True
    return hole


def _translated(entry: ModelEntry, pictures: list[Picture]) -> Iterator[Picture]:
    engine = OnnxEngine(entry.graph_path("translation"), device="cpu")
    try:
        for picture in pictures:
            hole = _hole(entry.translator, picture)
            yield restored(picture, hole, entry.translator, engine, tile_side=WHOLE, step=lambda _: None)
    finally:
        engine.close()


def _tile(picture: Picture) -> Picture:
    if max(picture.shape) <= LARGEST_TILE:
        return picture
    small = Image.fromarray(picture).resize((LARGEST_TILE, LARGEST_TILE), Image.Resampling.LANCZOS)
    return np.asarray(small)
