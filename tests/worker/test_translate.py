"""A photo through a real translator: sizes, blending, opacity, formats, and tiles against the whole."""

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.contract import PHOTO, PictureFormat, TranslateJob
from models.catalogue import find_models
from models.engines.engine import Engine
from tests.photo_files import half_transparent, picture, saved, with_orientation
from tests.tiny_translator import BLOTS
from worker.config import WorkerConfig
from worker.errors import PhotoRefused
from worker.loaded_model import LoadedTranslator
from worker.loaded_models import LoadedModels
from worker.photos import Photo, decoded
from worker.tasks.translate import MARGIN, TranslateTask, translated
from worker.tiles import Tiling

TASK = TranslateTask(tile_side=256, most_pixels=1_000_000)
JOB = TranslateJob("", 1.0, PictureFormat.PNG)
ROOT = Path(__file__).parents[2]
EVERYDAY = ROOT.parent / "shared" / "data" / "everyday"


@pytest.fixture(scope="module")
def blots(translator_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedTranslator]:
    shelf = find_models(translator_store, bundled=tmp_path_factory.mktemp("nothing-bundled"))
    models = LoadedModels(shelf, WorkerConfig(worker_id="test", device="cpu", threads=1))
    models.open()
    with models.held(shelf.named(BLOTS).manifest.digest) as model:
        assert isinstance(model, LoadedTranslator)
        yield model
    models.close()


def nothing(_: float) -> None:
    pass


def done(model: LoadedTranslator, body: bytes, job: TranslateJob = JOB) -> Image.Image:
    """The answer to an upload."""
    photo = TASK.prepare(job, {PHOTO: body}, model)
    encoded = TASK.finish(job, TASK.run(job, photo, model, nothing), {PHOTO: body})
    assert encoded.media_type == job.format.media_type
    return Image.open(io.BytesIO(encoded.body))


def scene(height: int, width: int) -> np.ndarray:
    """Sky above, a busy shore below: the two halves could hardly differ more in their statistics."""
    random = np.random.default_rng(3)
    sky = np.linspace(235, 200, height // 2)[:, None, None] * np.ones([1, width, 3]) * [0.7, 0.85, 1]
    stones = random.integers(20, 200, (height // 2 // 8 + 1, width // 8 + 1, 3))
    shore = stones.repeat(8, 0).repeat(8, 1)[: height - height // 2, :width] + random.integers(-20, 20, (1, 1, 3))
    return np.concatenate([sky, shore]).clip(0, 255).astype(np.uint8)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (37, 53), (64, 64), (250, 131)])
def test_the_answer_has_the_photos_size(blots: LoadedTranslator, size: tuple[int, int]) -> None:
    assert done(blots, saved(picture(size=size), "PNG")).size == size


def test_a_turned_photo_has_its_upright_size_and_no_word_of_where_it_was(blots: LoadedTranslator) -> None:
    for picture_format in PictureFormat:
        answer = done(blots, with_orientation(6), replace(JOB, format=picture_format))
        assert answer.size == (40, 60)
        assert not answer.getexif()
        assert not answer.info.keys() & {"exif", "xmp", "icc_profile", "XML:com.adobe.xmp"}


def test_a_size_is_the_longest_side(blots: LoadedTranslator) -> None:
    assert done(blots, saved(picture(size=(200, 100)), "JPEG"), replace(JOB, size=50)).size == (50, 25)
    assert done(blots, saved(picture(size=(200, 100)), "JPEG"), replace(JOB, size=5000)).size == (200, 100)


def test_strength_leads_from_the_photo_to_the_translation(blots: LoadedTranslator) -> None:
    body = saved(picture(), "PNG")
    none, half, full = (
        np.asarray(done(blots, body, replace(JOB, strength=strength))).astype(int) for strength in (0.0, 0.5, 1.0)
    )
    np.testing.assert_array_equal(none, np.asarray(picture()))
    assert np.abs(full - none).max() > 30
    assert np.abs(half - (none + full) / 2).max() <= 1


def test_opacity_is_kept_and_jpeg_lies_over_white(blots: LoadedTranslator) -> None:
    body = saved(half_transparent(), "PNG")
    for picture_format in (PictureFormat.PNG, PictureFormat.WEBP):
        kept = done(blots, body, replace(JOB, format=picture_format))
        assert kept.mode == "RGBA"
        assert np.unique(np.asarray(kept.getchannel("A"))).tolist() == [128]
    opaque = np.asarray(done(blots, body, replace(JOB, strength=0.0, format=PictureFormat.JPEG))).astype(int)
    expected = np.array([200, 30, 20]) * 128 / 255 + 255 * 127 / 255
    assert np.abs(opaque[20, 15] - expected).max() <= 4


def test_a_photo_whose_time_is_over_is_refused(blots: LoadedTranslator) -> None:
    with pytest.raises(PhotoRefused, match="send it again"):
        TASK.prepare(JOB, {}, blots)


def test_what_the_format_has_no_room_for_is_refused_before_the_work(blots: LoadedTranslator) -> None:
    body = saved(picture(size=(16_384, 2)), "PNG")
    webp = replace(JOB, format=PictureFormat.WEBP)
    with pytest.raises(PhotoRefused, match="16384 pixels along a side, and webp has 16383 at most"):
        TASK.prepare(webp, {PHOTO: body}, blots)
    assert done(blots, body, replace(webp, size=800)).size == (800, 1), "shrunk, it is short enough"
    assert done(blots, body, replace(JOB, strength=0.0)).size == (16_384, 2)


@pytest.mark.parametrize("shape", [(900, 1200), (300, 1400)])
def test_tiles_are_the_whole_without_a_seam(blots: LoadedTranslator, shape: tuple[int, int]) -> None:
    _check_tiles(blots.translation, scene(*shape))


@pytest.mark.skipif(not EVERYDAY.is_dir(), reason="../shared/data is not here")
@pytest.mark.parametrize("name", ["08.jpg", "11.jpg"])
def test_tiles_of_a_real_photo_are_the_whole_without_a_seam(blots: LoadedTranslator, name: str) -> None:
    _check_tiles(blots.translation, decoded((EVERYDAY / name).read_bytes(), 25_000_000).pixels)


def _check_tiles(engine: Engine, photo: np.ndarray) -> None:
    shares: list[float] = []
    tiles = translated(photo, engine, 4, 512, shares.append)
    whole = translated(photo, engine, 4, 4096, nothing)
    assert len(shares) >= 4
    assert shares == sorted(set(shares))
    assert 0 <= shares[0] < shares[-1] < 1
    assert tiles.shape == whole.shape == photo.shape
    assert psnr(tiles, whole) >= 30
    # The mean step across each line between two rows, or columns, of pixels, beside the whole's: no larger where tiles
    # meet than elsewhere.
    tiling = Tiling(512, MARGIN, 4)
    for axis, length in enumerate(photo.shape[:2]):
        ours, its_own = (np.abs(np.diff(one.astype(int), axis=axis)).mean(axis=(1 - axis, 2)) for one in (tiles, whole))
        origins = tiling.origins(-(-length // 4) * 4)
        seams = [(before + after + 512) // 2 for before, after in pairwise(origins)]
        lines = np.arange(length - 1)
        meeting = np.any([np.abs(lines - seam) <= MARGIN for seam in seams], axis=0) if seams else lines < 0
        assert (ours / its_own)[meeting].max(initial=0) <= 1.05 * (ours / its_own)[~meeting].max()


def test_without_shared_statistics_it_would_not_pass(blots: LoadedTranslator) -> None:
    class Deaf:
        """The same graph, as if it could not be told."""

        def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {"translation": blots.translation.run({"picture": inputs["picture"]})["translation"]}

    photo = scene(900, 1200)
    tiles = translated(photo, Deaf(), 4, 512, nothing)  # type: ignore[arg-type]
    assert psnr(tiles, translated(photo, blots.translation, 4, 4096, nothing)) < 25


def test_a_photo_is_of_its_own_width_and_height() -> None:
    assert Photo(np.zeros([4, 9, 3], np.uint8)).size == (9, 4)


GROWTH = """
import os
import sys
from pathlib import Path
import numpy as np
from benchmarks.stage import resident_mb
from models.catalogue import find_models
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.memory import give_back
from worker.tasks.translate import translated

store = Path(sys.argv[1])
shelf = find_models(store)
models = LoadedModels(shelf, WorkerConfig(worker_id="test", device="cpu", threads=1))
models.open()
photo = np.random.default_rng(3).integers(0, 256, (1800, 1800, 3), dtype=np.uint8)

def resident_after(photo):
    translated(photo, model.translation, 4, 4096, lambda share: None)
    give_back()
    return resident_mb(os.getpid())

with models.held(shelf.named("blots").manifest.digest) as model:
    before = resident_after(photo[:64, :64])
    print(resident_after(photo) - before)
models.close()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_memory_of_a_large_photo_is_given_back(translator_store: Path) -> None:
    command = [sys.executable, "-c", GROWTH, str(translator_store)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert float(done.stdout) < 100, "its first layer alone is 52 MB, several of which lie in memory at once"
