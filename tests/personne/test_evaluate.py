"""personne evaluate: a page that needs nothing else, figures as JSON, a card that repeats them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.catalogue import open_model
from personne.commands.drawn_pictures import Drawn, draw_samples
from personne.commands.sample import draw_faces
from tests.personne.invoking import invoke
from tests.training.picture_folder import blot, write_csv
from training.errors import EncoderRefused
from training.metrics.encoder import Encoder, save_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("encoder") / "features.safetensors"
    save_encoder(Encoder(), path, {})
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty blots, eight of them held out."""
    folder = tmp_path_factory.mktemp("data") / "blots"
    folder.mkdir()
    for number in range(40):
        blot(number, (32, 32)).save(folder / f"{number:02d}.png")
    rows = [{"file": f"{number:02d}.png", "split": "test" if number % 5 == 0 else "train"} for number in range(40)]
    write_csv(folder.parent / "blots.csv", rows)
    return folder


def test_a_report(tiny_store: Path, data: Path, encoder: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "report"
    shutil.copytree(tiny_store, store)
    # The tiny model has no card: its weights are random.
    (store / "tiny" / "card.md").write_text("# tiny\n\nA model.\n\n## Measured\n\nold\n")
    before = open_model(store / "tiny", "store").manifest
    asked = ("evaluate", "tiny", "--data", data, "--out", out, "--samples", "16", "--ways", "3", "--store", store)
    said = invoke(*asked, "--features", encoder, "--device", "cpu", "--card")
    assert said.exit_code == 0, said.output
    assert re.search(r"swd +[\d.]+ +floor +[\d.]+ +(not )?met: at most twice its floor", said.stdout)
    assert sorted(path.name for path in out.iterdir()) == ["measured.json", "nearest.jpg", "report.html", "report.json"]

    report = json.loads((out / "report.json").read_text())
    assert report["facts"]["training_pictures"] == 32
    assert report["facts"]["test_pictures"] == 8
    value, floor = report["figures"]["kid_self"], report["floors"]["kid_self"]
    assert report["targets"]["kid_self"] == {"target": "at most twice its floor", "met": value <= 2 * floor}
    assert set(report["swd_levels"]) == {"32", "16"}
    page = (out / "report.html").read_text()
    assert not re.search(r'(src|href)=(?!"data:)|url\(|@import|<script', page), "nothing is fetched"
    assert page.count("data:image/jpeg;base64,") == 3
    assert page.count("<svg") == 2
    assert f"{report['figures']['swd']:,.4g}" in page

    after = open_model(store / "tiny", "store")
    assert after.manifest.digest == before.digest
    assert after.manifest.metrics["closest_ratio"] == report["figures"]["closest_ratio"]
    card = (after.folder / "card.md").read_text()
    assert card.startswith("# tiny\n\nA model.")
    assert "old" not in card
    assert "| sliced Wasserstein distance" in card
    assert "## Is it anybody?" in card


def test_pictures_of_the_same_model_and_psi_are_drawn_once(tiny_model: Path, tmp_path: Path) -> None:
    drawn = Drawn(open_model(tiny_model, "store"), psi=0.7, side=32, device="cpu")
    told: list[int] = []
    first = draw_samples(drawn, 6, keep=tmp_path, advance=told.append)
    with (tmp_path / ".samples").open("r+b") as file:
        file.truncate(4 * 3 * 32 * 32 + 100)  # killed while it wrote the fifth
    told.clear()
    again = draw_samples(drawn, 6, keep=tmp_path, advance=told.append)
    assert told == [4, 1, 1]
    assert (first.int() - again.int()).abs().max() <= 1
    as_served = np.stack(list(draw_faces(drawn.entry, range(6), 0.7, device="cpu"))).transpose(0, 3, 1, 2)
    assert np.abs(first.numpy().astype(int) - as_served).max() <= 1
    told.clear()
    draw_samples(Drawn(drawn.entry, 0.5, 32, "cpu"), 2, keep=tmp_path, advance=told.append)
    assert told == [0, 1, 1], "another psi is another picture"


def test_without_held_out_pictures_the_report_says_so(
    tiny_store: Path, encoder: Path, data: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(data, alone)
    asked = ("evaluate", "tiny", "--data", alone, "--out", tmp_path / "out", "--samples", "12", "--ways", "0")
    said = invoke(*asked, "--store", tiny_store, "--features", encoder, "--device", "cpu")
    assert said.exit_code == 0, said.output
    assert "No pictures were held out" in said.stdout
    assert "closest_ratio" not in json.loads((tmp_path / "out" / "measured.json").read_text())
    said = invoke(*asked, "--store", tiny_store, "--features", tmp_path / "none", "--device", "cpu")
    assert isinstance(said.exception, EncoderRefused)
    with Image.open(tmp_path / "out" / "nearest.jpg") as sheet:
        assert sheet.width > sheet.height


def test_what_cannot_be_compared_is_refused_before_anything_is_drawn(
    tiny_store: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personne.commands.evaluate.draw_samples", None)
    few = tmp_path / "few"
    few.mkdir()
    for number in range(5):
        blot(number, (32, 32)).save(few / f"{number}.png")
    asked = ("evaluate", "tiny", "--store", tiny_store, "--device", "cpu", "--data")
    said = str(invoke(*asked, few, "--out", tmp_path / "report").exception)
    assert said == f"{few} has 5 pictures to compare with; at least 12 are needed"
    # nearest.jpg would be one of the pictures the next time.
    said = str(invoke(*asked, few, "--out", few / "report").exception)
    assert said == f"{few / 'report'} lies in {few}; choose another --out"
    said = str(invoke(*asked, data, "--test", few, "--out", few / "report").exception)
    assert said == f"{few / 'report'} lies in {few}; choose another --out"
