"""personne invert and personne dataset align, as they are typed."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from models.alignment import face_square
from models.locator_files import LOCATOR_FOLDER
from personne.errors import WouldOverwrite
from tests.app.translating import photo
from tests.personne.invoking import invoke

DATA = Path(__file__).parents[3] / "shared" / "data"
HERE = "60,70,100,72,81,95,64,115,97,116"
needs_locator = pytest.mark.skipif(not LOCATOR_FOLDER.is_dir(), reason="the locator is not bundled")
needs_photos = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


def test_a_photo_gives_its_latent_and_a_picture_to_look_at(invertible_store: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "family").mkdir(parents=True)
    (tmp_path / "in" / "family" / "me.jpg").write_bytes(photo(200, 180))
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    options = ("--model", "tiny", "--store", invertible_store, "--device", "cpu", "--method", "encoder")
    result = invoke("invert", tmp_path / "in", "--out", out, *options, "--landmarks", HERE)
    assert type(result.exception).__name__ == "PhotosNotInverted"
    assert "1 of 2 photos" in str(result.exception)
    document = json.loads((out / "family" / "me.json").read_text())
    assert document["method"] == "encoder"
    assert document["landmarks"][0] == [60.0, 70.0]
    with Image.open(out / "family" / "me.png") as shown:
        assert shown.size == (64, 32)
        pixels = np.asarray(shown).astype(float)
    error = np.sqrt(np.square(pixels[:, :32] - pixels[:, 32:]).mean())
    assert error == pytest.approx(document["error"], abs=0.01)
    assert not (out / "broken.json").exists()


def test_what_cannot_be_is_a_sentence(invertible_store: Path, tiny_store: Path, tmp_path: Path) -> None:
    (tmp_path / "me.jpg").write_bytes(photo(200, 180))

    def said(store: Path, *more: str) -> str:
        where = ("--out", tmp_path / "out", "--model", "tiny", "--store", store, "--device", "cpu")
        return str(invoke("invert", tmp_path / "me.jpg", *where, *more).exception)

    assert "ten numbers" in said(invertible_store, "--landmarks", "1,2,3")
    assert "ten numbers" in said(invertible_store, "--landmarks", "eye")
    assert "train encoder" in said(tiny_store)
    assert "there are encoder, descent, hybrid" in said(invertible_store, "--method", "magic")
    assert "there are w, w_plus" in said(invertible_store, "--space", "z")
    assert "1 of 1 photos" in said(invertible_store, "--landmarks", "1,1,1,1,1,1,1,1,1,1")


def test_no_photo_is_ever_written_over(invertible_store: Path, tmp_path: Path) -> None:
    mine, other = tmp_path / "me.png", tmp_path / "other" / "me.jpg"
    other.parent.mkdir()
    for path in (mine, other):
        path.write_bytes(photo(200, 180))
    before = mine.read_bytes()
    options = ("--model", "tiny", "--store", invertible_store, "--device", "cpu", "--method", "encoder")

    onto_itself = invoke("invert", mine, "--out", tmp_path, *options).exception
    assert isinstance(onto_itself, WouldOverwrite)
    assert str(onto_itself) == f"Nothing was written: {mine} is one of the photos; choose another folder with --out."
    alike = invoke("invert", mine, other, "--out", tmp_path / "out", *options).exception
    assert isinstance(alike, WouldOverwrite)
    assert "would both be" in str(alike)
    assert "invert them one by one" in str(alike)
    assert mine.read_bytes() == before
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "me.json").exists()


def test_a_file_that_is_no_latent_is_left_alone_unless_forced(invertible_store: Path, tmp_path: Path) -> None:
    (tmp_path / "me.jpg").write_bytes(photo(200, 180))
    drawing = photo(40, 40, "PNG")
    mine = tmp_path / "me.png"
    mine.write_bytes(drawing)

    def invert_here(*more: str) -> Result:
        where = ("--out", tmp_path, "--model", "tiny", "--store", invertible_store, "--device", "cpu")
        return invoke("invert", tmp_path / "me.jpg", *where, "--method", "encoder", "--landmarks", HERE, *more)

    assert str(invert_here().exception) == f"{mine} is there already; --force replaces it."
    (tmp_path / "me.json").write_text('{"my": "notes"}')
    assert str(invert_here().exception) == f"{tmp_path / 'me.json'} is there already; --force replaces it."
    assert mine.read_bytes() == drawing
    assert (tmp_path / "me.json").read_text() == '{"my": "notes"}'
    forced = invert_here("--force")
    assert forced.exit_code == 0, forced.output
    assert mine.read_bytes() != drawing
    again = invert_here()
    assert again.exit_code == 0, "what it wrote itself it writes anew"


@needs_locator
@needs_photos
def test_portraits_become_a_data_set(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    source.mkdir()
    names = sorted(path.name for path in (DATA / "faces" / "raw").glob("*.jpg"))[:4]
    for name in names:
        (source / name).write_bytes((DATA / "faces" / "raw" / name).read_bytes())
    Image.new("RGB", (300, 200), (20, 90, 160)).save(source / "wall.png")
    (source / "torn.jpg").write_bytes((source / names[0]).read_bytes()[:900])
    pair = Image.new("RGB", (450, 275))
    for column, name in enumerate(names[:2]):
        pair.paste(Image.open(source / name), (225 * column, 0))
    pair.save(source / "pair.jpg", quality=95)

    out = tmp_path / "faces.zip"
    result = invoke("dataset", "align", source, "--out", out, "--resolution", "64")
    assert result.exit_code == 0, result.output
    assert "7 photos gave 4 faces; 3 were dropped." in result.output
    for reason in ("no face was found: wall.png", "several faces", "torn.jpg"):
        assert reason in result.output, result.output
    with zipfile.ZipFile(out) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))
        assert [row["source"] for row in rows] == names
        for row in rows:
            landmarks = np.array([float(number) for number in row["landmarks"].split()]).reshape(5, 2)
            square = face_square(landmarks)
            assert square.side == pytest.approx(64, abs=0.5), "its own landmarks frame it as it is"
            assert (square.x, square.y) == pytest.approx((32, 32), abs=0.5)
            assert Image.open(io.BytesIO(archive.read(row["file"]))).size == (64, 64)

    from training.dataset import load_pictures

    assert load_pictures(out, 32).shape == (4, 3, 32, 32), "recipes read it"

    again = invoke("dataset", "align", source, "--out", out, "--resolution", "64")
    assert "--force" in str(again.exception)
    every = invoke("dataset", "align", source, "--out", out, "--resolution", "64", "--faces", "all", "--force")
    assert "gave 6 faces" in every.output
    small = invoke("dataset", "align", source, "--out", tmp_path / "x.zip", "--resolution", "64", "--smallest", "900")
    assert type(small.exception).__name__ == "NoFacesAligned"
    assert "smaller than 900 pixels" in small.output
    assert not (tmp_path / "x.zip").exists()


@needs_locator
def test_a_wish_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "me.jpg").write_bytes(photo(200, 180))
    out = ("--out", tmp_path / "x.zip", "--resolution", "64")
    assert "must be one of" in str(invoke("dataset", "align", tmp_path / "me.jpg", *out, "--faces", "some").exception)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no photo" in str(invoke("dataset", "align", empty, *out).exception)
