"""What a restored picture is measured by, and the benchmark that does it on a run of a second."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import restoring
from tests.training.translation.conftest import tiny_translation_config
from training.metrics.restoration import MOST_DB, chroma_error, psnr
from training.translation import train


def test_psnr_is_of_the_pixels_that_count() -> None:
    x = torch.zeros(2, 3, 4, 4)
    y = x.clone()
    y[:, :, 0] = 0.2
    where = torch.zeros(2, 1, 4, 4)
    where[:, :, 0] = 1
    assert psnr(x, y, where) == pytest.approx(20.0, abs=1e-4), "a tenth of the range"
    assert psnr(x, y) == pytest.approx(20.0 + 10 * np.log10(4), abs=1e-4)
    assert psnr(x, x) == pytest.approx(MOST_DB, abs=1e-3)


def test_the_error_of_colours_does_not_mind_brightness() -> None:
    x = torch.rand(1, 3, 8, 8) - 0.5
    assert chroma_error(x, x + 0.3) == pytest.approx(0, abs=1e-4)
    red = torch.tensor([0.1, 0.0, 0.0]).view(1, 3, 1, 1)
    assert chroma_error(x, x + red) > 3


@pytest.mark.parametrize("task", ["upscale", "colourise", "inpaint"])
def test_a_run_is_measured_beside_what_needs_no_network(
    task: str, blots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_translation_config("pix2pix", blots, tmp_path / "run", task=task, total_images=2)
    train(config)
    photos = tmp_path / "photos"
    photos.mkdir()
    random = np.random.RandomState(0)
    rows = ["file,split"]
    for i in range(12):
        Image.fromarray(random.randint(0, 255, (24, 24, 3)).astype(np.uint8)).save(photos / f"{i:02}.png")
        rows.append(f"{i:02}.png,test")
    (photos / "index.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "measured"
    command = ["restoring", str(config.out), "--data", str(photos), "--out", str(out), "--side", "16"]
    monkeypatch.setattr(sys, "argv", command)
    restoring.main()
    measured = json.loads((out / "measured.json").read_text())
    assert measured["photos"] == 12
    beside = {"upscale": "psnr_lanczos", "colourise": "chroma_error_grey", "inpaint": "hole_psnr_smooth"}
    assert 0 < measured[beside[task]] < 100
    with Image.open(out / "painted.jpg") as sheet:
        assert sheet.size == (6 * 16, 6 * 16), "twelve pictures in three rows each"
