"""personne translate: files and folders, without a server."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from personne.cli import app
from personne.errors import AlreadyThere, NoMaskTaken, NothingToTranslate, PhotosRefused, WouldOverwrite
from tests.photo_files import picture, saved, with_orientation
from tests.tiny_translator import BLOTS

Translate = Callable[..., Result]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a folder in it."""
    folder = tmp_path / "photos"
    (folder / "2024").mkdir(parents=True)
    (folder / "a.png").write_bytes(saved(picture(), "PNG"))
    (folder / "notes.txt").write_text("no photo")
    (folder / "2024" / "b.JPG").write_bytes(with_orientation(6))
    return folder


@pytest.fixture
def translate(translator_store: Path, tmp_path: Path) -> Translate:
    def run(*arguments: object, style: str = BLOTS) -> Result:
        where = ["--out", str(tmp_path / "out"), "--store", str(translator_store)]
        return CliRunner().invoke(app, ["translate", "--style", style, *where, "--device", "cpu", *map(str, arguments)])

    return run


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folders_photos_keep_their_names_and_places(translate: Translate, photos: Path, tmp_path: Path) -> None:
    result = translate(photos)
    assert result.exit_code == 0, result.output
    assert files(tmp_path / "out") == {"a.png", "2024/b.JPG"}
    one = opened(tmp_path / "out" / "a.png")
    assert (one.format, one.size) == ("PNG", (60, 40))
    assert np.abs(np.asarray(one).astype(int) - np.asarray(picture())).mean() > 5
    assert opened(tmp_path / "out" / "2024" / "b.JPG").size == (40, 60)


def test_a_wish_is_heeded(translate: Translate, photos: Path, tmp_path: Path) -> None:
    result = translate(photos / "a.png", "--strength", 0, "--size", 30, "--format", "webp")
    assert result.exit_code == 0, result.output
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == "a.webp"
    small = opened(written)
    assert (small.format, small.size) == ("WEBP", (30, 20))


def test_only_translations_are_replaced_unless_one_says_so(translate: Translate, photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "out" / "2024" / "b.JPG"
    other.parent.mkdir(parents=True)
    other.write_bytes(before := saved(picture(size=(30, 30)), "JPEG"))
    refused = translate(photos).exception
    assert isinstance(refused, AlreadyThere)
    assert str(refused) == f"{other} is there already; --force replaces it."
    assert files(tmp_path / "out") == {"2024/b.JPG"}
    assert other.read_bytes() == before
    assert translate(photos, "--force").exit_code == 0
    assert opened(other).size == (40, 60)
    again = translate(photos, "--strength", 0)
    assert again.exit_code == 0, again.output
    assert np.abs(np.asarray(opened(tmp_path / "out" / "a.png")).astype(int) - np.asarray(picture())).mean() < 2


def test_broken_files_are_left_out_and_told(translate: Translate, photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing more")
    result = translate(photos, tmp_path / "missing.jpg")
    assert isinstance(result.exception, PhotosRefused)
    assert result.exception.exit_status == 1
    assert "2 of 4" in str(result.exception)
    assert "broken.jpg: The photo cannot be read" in " ".join(result.output.split())
    assert files(tmp_path / "out") == {"a.png", "2024/b.JPG"}


def test_a_photo_too_long_for_its_format_is_left_out_and_told(
    translate: Translate, photos: Path, tmp_path: Path
) -> None:
    (photos / "2024" / "panorama.png").write_bytes(saved(picture(size=(16_384, 2)), "PNG"))
    result = translate(photos, "--format", "webp")
    assert isinstance(result.exception, PhotosRefused)
    assert "1 of 3" in str(result.exception)
    assert "panorama.png: The photo would become a picture of 16384 pixels" in " ".join(result.output.split())
    assert files(tmp_path / "out") == {"a.webp", "2024/b.webp"}


def test_no_photo_is_ever_written_over(translate: Translate, photos: Path, tmp_path: Path) -> None:
    before = (photos / "a.png").read_bytes()
    inside = translate(photos, "--out", photos)
    assert inside.exit_code != 0
    (tmp_path / "out").symlink_to(photos)
    result = translate(photos / "a.png")
    assert isinstance(result.exception, WouldOverwrite)
    assert (photos / "a.png").read_bytes() == before


def test_two_photos_of_one_name_are_refused(translate: Translate, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(saved(picture(), "PNG"))
    result = translate(photos / "a.png", tmp_path / "a.png")
    assert isinstance(result.exception, WouldOverwrite)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_photos(translate: Translate, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert isinstance(translate(tmp_path / "empty").exception, NothingToTranslate)


def test_the_answer_is_that_of_the_service(
    translate: Translate, photos: Path, tmp_path: Path, translator_store: Path
) -> None:
    """The same task with the same marks: the bytes are those that a worker gives."""
    from jobs.contract import PHOTO, PictureFormat, TranslateJob
    from models.catalogue import Catalogue, find_models
    from worker.config import WorkerConfig
    from worker.loaded_models import LoadedModels
    from worker.tasks.task import tasks_for

    translate(photos / "a.png")
    shelf: Catalogue = find_models(translator_store, tmp_path)
    config = WorkerConfig("test", device="cpu")
    models = LoadedModels(shelf, config)
    models.open()
    task = tasks_for(config, models.name_of)["translate"]
    job = TranslateJob(shelf.named(BLOTS).manifest.digest, 1.0, PictureFormat.PNG)
    inputs = {PHOTO: (photos / "a.png").read_bytes()}
    with models.held(job.model) as model:
        expected = task.finish(job, task.run(job, task.prepare(job, inputs, model), model, lambda _: None), inputs)
    models.close()
    written = np.asarray(opened(tmp_path / "out" / "a.png")).astype(int)
    assert np.abs(written - np.asarray(Image.open(io.BytesIO(expected.body)))).max() <= 1


def test_a_mask_says_where_photos_are_filled(restorers_store: Path, photos: Path, tmp_path: Path) -> None:
    mask = Image.new("L", (60, 40), 0)
    mask.paste(255, (20, 10, 40, 30))
    (tmp_path / "mask.png").write_bytes(saved(mask, "PNG"))

    def run(style: str, *more: object) -> Result:
        where = ["--out", str(tmp_path / "out"), "--store", str(restorers_store), "--device", "cpu"]
        return CliRunner().invoke(app, ["translate", "--style", style, *where, str(photos / "a.png"), *map(str, more)])

    result = run("inpaint", "--mask", tmp_path / "mask.png")
    assert result.exit_code == 0, result.output
    changed = np.abs(np.asarray(opened(tmp_path / "out" / "a.png")).astype(int) - np.asarray(picture())).max(axis=2)
    inside = np.asarray(mask) > 0
    assert (changed[~inside].max(), np.median(changed[inside]) > 5) == (0, True)
    assert isinstance(run("inpaint").exception, PhotosRefused)
    assert isinstance(run(BLOTS, "--mask", tmp_path / "mask.png").exception, NoMaskTaken)
