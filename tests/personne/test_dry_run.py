"""`--dry-run`, presets and `--set` of the trainers of small networks, at the command line."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.estimates import ESTIMATES
from personne.commands.run_options import preset_of
from personne.commands.train_recipe import train_recipe
from tests.personne.invoking import invoke
from training.finding_presets import ENCODER_PRESETS, LOCATOR_PRESETS

LANDMARKS = "48 61 80 61 64 80 50 94 78 94"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six blots with landmarks in an index beside them."""
    folder = tmp_path_factory.mktemp("data") / "pictures"
    folder.mkdir()
    random = np.random.RandomState(0)
    with (folder.parent / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "split", "landmarks"])
        writer.writeheader()
        for i in range(6):
            Image.fromarray(random.randint(0, 255, (40, 40, 3)).astype(np.uint8)).save(folder / f"{i}.png")
            writer.writerow({"file": f"{i}.png", "split": "test" if i == 5 else "train", "landmarks": LANDMARKS})
    return folder


def said(*arguments: str | Path) -> list[str]:
    answer = invoke(*arguments)
    assert answer.exit_code == 0, answer.output
    return answer.stdout.splitlines()


@pytest.mark.parametrize("preset", [None, *LOCATOR_PRESETS])
def test_what_a_locator_would_cost(preset: str | None, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = ["--data", pictures, "--backgrounds", pictures, "--out", out, "--set", "uses=3", "--dry-run"]
    lines = said("train", "locator", *asked, *(() if preset is None else ("--preset", preset)))
    assert lines[0] == f"preset {preset or 'locator_on_two_cores'}"
    assert "uses: int = 3" in lines
    large = preset == "locator"
    assert f"width: int = {72 if large else 48}" in lines
    assert ("18,750" if large else "9,375") + f" steps of {64 if large else 32} images" in lines
    assert [line.partition(":")[0] for line in lines if "million parameters" in line] == ["network", "close"]
    assert f"in memory: {4096 if large else 2048:,} scenes, {113.2 if large else 56.6} MB" in lines
    assert any(line.startswith("state.pt: about") and line.endswith("snapshots stay") for line in lines)
    assert not out.exists()


@pytest.mark.parametrize("preset", [None, *ENCODER_PRESETS])
def test_what_an_encoder_would_cost(preset: str | None, tiny_store: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    asked = ["--model", tiny_model.name, "--store", tiny_store, "--out", out, "--batch", "8", "--dry-run"]
    lines = said("train", "encoder", *asked, *(() if preset is None else ("--preset", preset)))
    assert lines[0] == f"preset {preset or 'encoder_on_two_cores'}"
    large = preset == "encoder"
    assert f"{16_000 if large else 4_000:,} steps of 8 images" in lines
    assert f"width: int = {48 if large else 32}" in lines
    assert any(line.startswith("encoder: ") and line.endswith("million parameters") for line in lines)
    side = json.loads((tiny_model / "manifest.json").read_text())["resolution"]
    samples = 16_384 if large else 8_192
    assert f"in memory: {samples:,} pictures of the generator, {3 * samples * side**2 / 1e6:.1f} MB" in lines
    assert not out.exists()


def test_what_features_would_cost(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    lines = said("train", "features", "--data", pictures, "--out", out, "--set", "temperature=0.3", "--dry-run")
    assert lines[0] == f"out: Path = '{out}'", "there are no presets"
    assert "temperature: float = 0.3" in lines
    assert "938 steps of 128 images" in lines
    assert [line.partition(":")[0] for line in lines if "million parameters" in line] == ["encoder", "head"]
    assert not any("snapshots stay" in line for line in lines), "it leaves none"
    assert not out.exists()


def test_what_estimators_would_cost(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "estimators"
    asked = ["--data", pictures, "--out", out, "--epochs", "7", "--set", "batch=2"]
    lines = said("train", "estimators", *asked, "--dry-run")
    assert "epochs: int = 7" in lines
    # Three batches of the five of the train split, for each of two networks.
    assert "at most 42 steps of 2 images: portraits of which nothing is known are left out" in lines
    networks = [line.partition(":")[0] for line in lines if "million parameters" in line]
    assert sorted("+".join(networks).split("+")) == sorted(one.name for one in ESTIMATES if not one.from_pixels)
    assert any(line.startswith("in memory: 5 portraits") for line in lines)
    assert not out.exists()


def test_settings_and_presets_that_are_none_are_refused(pictures: Path, tmp_path: Path) -> None:
    asked = ["--data", pictures, "--out", tmp_path / "run"]
    for command, words, *more in [
        ("locator", "no preset 'huge'; there are: locator_on_two_cores", "--backgrounds", pictures, "--preset", "huge"),
        ("features", "no setting 'heat'", "--set", "heat=1"),
        ("features", "temperature is 'warm'; it must be a number", "--set", "temperature=warm"),
        ("estimators", "no setting 'heat'", "--set", "heat=1"),
    ]:
        answer = invoke("train", command, *asked, *more)
        assert answer.exit_code != 0
        assert isinstance(answer.exception, ValueError), "which `personne` says in a line"
        assert words in str(answer.exception)
    assert not (tmp_path / "run").exists()


def test_what_is_set_is_trained_with(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    small = [
        "--images",
        "16",
        "--batch",
        "8",
        "--device",
        "cpu",
        "--set",
        "projection=4",
        "--set",
        "data_memory_share=0",
    ]
    lines = said("train", "features", "--data", pictures, "--out", out, *small)
    assert f"The encoder is in {out / 'features.safetensors'}." in lines
    config = json.loads((out / "config.json").read_text())
    assert (config["projection"], config["data_memory_share"]) == (4, 0.0)


def test_the_recipes_say_steps_and_memory_too(pictures: Path, tmp_path: Path) -> None:
    options = {"resolution": 16, "device": "cpu", "batch": 8, "total_images": 1600}
    lines = train_recipe("dcgan", data=pictures, out=tmp_path / "run", options=options, dry_run=True)
    assert "200 steps of 8 images" in lines
    assert any(line.startswith("in memory: networks and optimisers, at most") for line in lines)


def test_the_first_preset_is_taken_unless_another_fits() -> None:
    presets = {"one": 1, "two": 2}
    assert preset_of(presets, None) == ("one", 1)
    assert preset_of(presets, None, "two") == ("two", 2)
    assert preset_of(presets, "one", "two") == ("one", 1)
