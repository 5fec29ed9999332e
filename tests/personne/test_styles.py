"""The styles that this project trained and does not bundle: each is whole, goes into a store by one command, and does
what its card says to pictures that it never saw."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.catalogue import ModelEntry, open_model
from tests.personne.invoking import invoke

STYLES = Path(__file__).parents[2] / "styles"
DATA = Path(__file__).parents[2].parent / "shared" / "data"
NAMES = sorted(path.name for path in STYLES.iterdir() if path.is_dir())
SHOWN = ("card.md", "sheet.jpg", "painted.jpg", "before.jpg", "after.jpg")
PICTURES = 8

Translate = Callable[..., NDArray[np.float64]]


def entry_of(name: str) -> ModelEntry:
    return open_model(STYLES / name, "store")


@pytest.fixture
def translate(tmp_path: Path) -> Translate:
    """What `personne translate` makes of a picture, by a style that `personne import` has put into a store."""
    store = tmp_path / "store"

    def run(name: str, picture: Image.Image, *options: str | Path) -> NDArray[np.float64]:
        if not (store / name).exists():
            imported = invoke("import", STYLES / name, "--store", store)
            assert imported.exit_code == 0, imported.output
        picture.save(tmp_path / "photo.png")
        out = tmp_path / "out"
        arguments = ["--style", name, "--out", out, "--store", store, "--device", "cpu", *options]
        result = invoke("translate", tmp_path / "photo.png", *arguments)
        assert result.exit_code == 0, result.output
        written = out / "photo.png"
        pixels = np.asarray(Image.open(written).convert("RGB"), np.float64)
        written.unlink()
        return pixels

    return run


@pytest.fixture(scope="module")
def portraits() -> list[Image.Image]:
    """Of people whom no style was trained on, 256x256."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not here: no portraits to try the styles on.")
    with (DATA / "faces" / "index.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test" and row["has_256"] == "1"]
    return [Image.open(DATA / "faces" / "256" / row["file"]).convert("RGB") for row in rows[:PICTURES]]


@pytest.mark.parametrize("name", NAMES)
def test_a_style_is_whole(name: str) -> None:
    entry = entry_of(name)
    assert entry.manifest.name == name
    assert entry.manifest.licence == "Apache-2.0"
    assert all((entry.folder / file).is_file() for file in SHOWN)
    assert sum(graph.bytes for graph in entry.manifest.graphs.values()) < 7_000_000
    assert "## Beware" in (entry.folder / "card.md").read_text()


def error(found: NDArray[np.float64], wanted: Image.Image) -> float:
    return float(np.sqrt(np.square(found - np.asarray(wanted, np.float64)).mean()))


def chroma_error(found: NDArray[np.float64], wanted: Image.Image) -> float:
    """RMS of the two channels of colour."""
    ours, theirs = (
        np.asarray(Image.fromarray(one.astype(np.uint8)).convert("YCbCr"), np.float64)[..., 1:]
        for one in (found, np.asarray(wanted))
    )
    return float(np.sqrt(np.square(ours - theirs).mean()))


def test_portraits_get_their_colours_back(translate: Translate, portraits: list[Image.Image]) -> None:
    ours = grey = 0.0
    for portrait in portraits:
        bare = portrait.convert("L").convert("RGB")
        ours += chroma_error(translate("colourise", bare), portrait)
        grey += chroma_error(np.asarray(bare, np.float64), portrait)
    assert ours < 0.8 * grey


def test_portraits_are_enlarged_better_than_by_lanczos(translate: Translate, portraits: list[Image.Image]) -> None:
    ours = plain = 0.0
    for portrait in portraits:
        small = portrait.resize((64, 64), Image.Resampling.BOX)
        ours += error(translate("upscale", small), portrait)
        plain += error(np.asarray(small.resize((256, 256), Image.Resampling.LANCZOS), np.float64), portrait)
    assert ours < plain


def test_holes_are_filled_better_than_with_their_surroundings(
    translate: Translate, portraits: list[Image.Image], tmp_path: Path
) -> None:
    mask = Image.new("L", (256, 256), 0)
    ImageDraw.Draw(mask).rectangle((110, 160, 141, 191), fill=255)
    mask.save(tmp_path / "mask.png")
    hole = np.asarray(mask) > 0
    ours = plain = 0.0
    for portrait in portraits:
        whole = np.asarray(portrait, np.float64)
        filled = translate("inpaint", portrait, "--mask", tmp_path / "mask.png")
        assert np.abs(filled - whole)[~hole].mean() < 3, "nothing but the watermark"
        ours += float(np.sqrt(np.square(filled - whole)[hole].mean()))
        plain += float(np.sqrt(np.square(whole[hole] - whole[~hole].mean(axis=0)).mean()))
    assert ours < 0.8 * plain


def test_a_painted_portrait_is_still_that_portrait(translate: Translate, portraits: list[Image.Image]) -> None:
    for portrait in portraits[:2]:
        painted = translate("vangogh", portrait)
        plain = np.asarray(portrait, np.float64)
        assert error(painted, portrait) > 15
        assert np.corrcoef(painted.mean(axis=2).ravel(), plain.mean(axis=2).ravel())[0, 1] > 0.7
