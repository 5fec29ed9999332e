"""A photo in another style: whole where memory allows, else in tiles that share their statistics.

A translator normalises each feature by its mean and variance over the picture it is given (instance norm). Tiles that
did so each for itself would disagree: a tile of plain sky would be stretched until its noise became strokes. So a
first pass looks at a mosaic of patches from all over the photo, at their own scale; what it sees on average in every
layer is given to each tile, and every tile is then a plain function of its pixels, as in the whole picture. A tile's
rim, where the network looks past the edge, is hidden under its neighbour's.
"""
# H W picture, C channel, N batch

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jobs.contract import MASK, PHOTO, PictureFormat, TranslateJob
from marks.errors import NotAPicture
from marks.recipe import Ingredient, Recipe
from marks.stamp import UNMARKED, Stamp
from marks.verify import ingredient_of
from models.engines.engine import Array, Engine
from models.manifest import TranslatorManifest
from worker.errors import PhotoRefused
from worker.loaded_model import LoadedTranslator
from worker.masks import hole_of
from worker.photos import Photo, decoded
from worker.pictures import EncodedPicture, Picture, check_length, stamped
from worker.restoring import LONGEST, Hole, coloured, filled
from worker.tasks.solo import SoloTask, Step
from worker.tiles import Tiling, mosaic, padded, tiled

SMALLEST = 64
"""Sides below this are filled up by reflection: a translator's own reflections need some pixels, and a GPU's engines
are built for a range of sizes."""
LONGEST_WHOLE = 4 / 3
"""A picture is translated whole up to so many times a tile's side, for the same reason."""
MARGIN = 48
"""A tile's rim, in pixels: what lies further inside is as in the whole picture to within a level. A U-Net of many
levels looks further."""
BAND = 256
"""Rows that are blended at a time: the float arithmetic of a whole photo would take twelve times its bytes."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A photo as it is translated. hole: where it is to be filled, of a translator that takes a mask."""

    photo: Photo
    hole: Hole | None = None


class TranslateTask(SoloTask[TranslateJob, Canvas, LoadedTranslator]):
    """Photo -> translator -> blended with the photo -> marked and encoded.

    tile_side: pictures of up to so many pixels squared are translated whole. most_pixels: larger photos are refused.
    stamp: the marks that pictures leave with. name_of: a model's name, by its digest.
    """

    works_with = TranslatorManifest

    def __init__(
        self, tile_side: int, most_pixels: int, stamp: Stamp = UNMARKED, name_of: Callable[[str], str] = str
    ) -> None:
        self._tile_side = tile_side
        self._most_pixels = most_pixels
        self._stamp = stamp
        self._name_of = name_of

    def prepare(self, job: TranslateJob, inputs: Mapping[str, bytes], model: LoadedTranslator) -> Canvas:
        """Raises PhotoRefused, MaskRefused."""
        if PHOTO not in inputs:
            raise PhotoRefused("The photo's time to live passed before its turn came; send it again.")
        photo, scale = decoded(inputs[PHOTO], self._most_pixels), model.manifest.scale
        longest = scale * max(photo.size)
        check_length(min(longest, job.size or longest), job.format)
        if scale > 1:
            return Canvas(self._enlarged(photo, scale))
        photo = photo.shrunk(job.size)
        if not model.manifest.takes_mask:
            return Canvas(photo)
        hole = hole_of(photo, inputs.get(MASK), self._most_pixels)
        # What was transparent is filled, and so opaque.
        return Canvas(photo if MASK in inputs else Photo(photo.pixels), hole)

    def run(self, job: TranslateJob, prepared: Canvas, model: LoadedTranslator, step: Step) -> Picture:
        """[H, W, 3], or [H, W, 4] where the photo has opacity: of the photo's height and width, whatever the model's
        size_multiple; of a model that enlarges, its scale times as many, or the size that was asked."""
        pixels, opacity = prepared.photo.pixels, prepared.photo.opacity
        picture = pixels
        if job.strength > 0:
            picture = restored(
                pixels, prepared.hole, model.manifest, model.translation, tile_side=self._tile_side, step=step
            )
        if job.strength < 1:
            picture = blended(pixels, picture, job.strength)
        done = Photo(picture, opacity).shrunk(job.size)
        return done.pixels if done.opacity is None else np.dstack([done.pixels, done.opacity])

    def _enlarged(self, photo: Photo, scale: int) -> Photo:
        width, height = photo.size
        if width * height * scale**2 > self._most_pixels:
            raise PhotoRefused(
                f"The photo has {width}x{height} pixels and would have {scale * width}x{scale * height}; "
                f"at most {self._most_pixels} are made."
            )
        return photo.enlarged(scale)

    def finish(self, job: TranslateJob, picture: Array, inputs: Mapping[str, bytes]) -> EncodedPicture:
        """JPEG has no opacity: what is transparent is laid over white. The marks that the photo came with go on as the
        history of the result."""
        if job.format is PictureFormat.JPEG and picture.shape[2] == 4:
            picture = _over_white(picture)
        photo = inputs[PHOTO]
        parameters = {"strength": job.strength} | ({} if job.size is None else {"size": job.size})
        recipe = Recipe(
            job.kind, self._name_of(job.model), job.model, parameters=parameters, ingredient=history_of(photo)
        )
        return stamped(picture, job.format, recipe, self._stamp, photo)


def restored(
    pixels: Picture, hole: Hole | None, manifest: TranslatorManifest, engine: Engine, *, tile_side: int, step: Step
) -> Picture:
    """What a translator makes of a photo [H, W, 3] that has been enlarged to its scale, by what it learnt: the answer
    has the photo's size. hole: where to fill."""

    def draw(shown: Picture, side: int = LONGEST) -> Picture:
        return translated(shown, engine, manifest.size_multiple, max(side, tile_side), step)

    if manifest.task == "colourise":
        return coloured(pixels, draw)
    return draw(pixels, tile_side) if hole is None else filled(pixels, hole, draw)


def translated(pixels: Picture, engine: Engine, multiple: int, tile_side: int, step: Step) -> Picture:
    """The translation of a photo [H, W, 3], of the same size. With a mask as fourth channel, never in tiles.

    multiple: of both sides of what the graph takes. step is called before every run of the graph.
    """
    height, width = pixels.shape[:2]
    grown = padded(pixels, multiple, -(-SMALLEST // multiple) * multiple)
    margin = max(MARGIN, multiple // 2)
    tiling = Tiling(max(tile_side // multiple * multiple, 2 * margin + multiple), margin, multiple)
    if grown.shape[0] * grown.shape[1] <= tiling.side**2 and max(grown.shape[:2]) <= LONGEST_WHOLE * tiling.side:
        step(0.0)
        whole: Picture = engine.run({"picture": grown[None]})["translation"][0, :height, :width]
        return whole
    step(0.0)
    shared = _statistics(grown, engine, tiling)
    runs, done = tiling.count(*grown.shape[:2]) + 1, 1

    def run(tile: Picture) -> Picture:
        nonlocal done
        step(done / runs)
        done += 1
        translation: Picture = engine.run({"picture": tile[None], **shared})["translation"][0]
        return translation

    return tiled(grown, tiling, run)[:height, :width]


def blended(photo: Picture, picture: Picture, strength: float) -> Picture:
    """strength of the picture, the rest of the photo."""
    mixed = np.empty_like(photo)
    for top in range(0, len(photo), BAND):
        rows = slice(top, top + BAND)
        ours, theirs = photo[rows].astype(np.float32), picture[rows].astype(np.float32)
        mixed[rows] = np.rint(ours + np.float32(strength) * (theirs - ours)).astype(np.uint8)
    return mixed


def _statistics(pixels: Picture, engine: Engine, tiling: Tiling) -> dict[str, Array]:
    """What tiles are to be given beside their pixels. Nothing for a graph without instance norms, whose tiles agree."""
    seen = engine.run({"picture": padded(mosaic(pixels, tiling.side), tiling.multiple, tiling.multiple)[None]})
    if "statistics_seen" not in seen:
        return {}
    return {"statistics": seen["statistics_seen"], "given": np.ones(1, np.float32)}


def history_of(photo: bytes) -> Ingredient:
    """The marks that an upload came with."""
    try:
        return ingredient_of(photo)
    except NotAPicture:
        # It was decoded a moment ago: odd enough to have no marks that anybody could read.
        return Ingredient()


def _over_white(picture: Picture) -> Picture:
    """[H, W, 4] -> [H, W, 3]"""
    opaque = np.empty((*picture.shape[:2], 3), np.uint8)
    for top in range(0, len(picture), BAND):
        rows = slice(top, top + BAND)
        share = picture[rows, :, 3:].astype(np.float32) / 255
        opaque[rows] = np.rint(picture[rows, :, :3] * share + 255 * (1 - share)).astype(np.uint8)
    return opaque
