"""personne train: options, presets, settings by name, and what a run would cost."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from personne.commands.run_options import read_change
from personne.commands.train_recipe import LOOPS, train_recipe
from training.portrait_presets import PORTRAIT_PRESETS
from training.presets import TRANSLATION_PRESETS, on_two_cores
from training.translation.config import TranslationConfig
from training.translation.state import new_generator

TINY = ["ngf=4", "n_blocks=1", "ndf=4", "n_layers=1", "sample_count=2", "picture_side=24", "augment="]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.RandomState(0)
    for i in range(6):
        Image.fromarray(random.randint(0, 255, (24, 24, 3)).astype(np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.mark.parametrize("preset", ["painting_on_two_cores", "upscale"])
def test_a_preset_trains_with_what_was_changed(preset: str, pictures: Path, tmp_path: Path) -> None:
    style = None if preset == "upscale" else pictures
    options: dict[str, Any] = {
        "total_images": 4,
        "resolution": 16,
        "batch": 2,
        "device": "cpu",
        "seed": None,
        "also": None,
    }
    options["style"] = style
    train_recipe("translation", data=pictures, out=tmp_path / "run", preset=preset, options=options, changes=TINY)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["ngf"], config["batch"], config["augment"], config["seed"]) == (4, 2, [], 0)
    assert len(list((tmp_path / "run" / "snapshots").glob("translation-*.safetensors"))) == 1


@pytest.mark.parametrize("preset", TRANSLATION_PRESETS)
def test_every_preset_is_sound_on_a_gpu_and_shrunk(preset: str) -> None:
    paired = preset.startswith(("colourise", "upscale", "inpaint", "drawing"))
    style = None if paired else Path("paintings")
    config = TRANSLATION_PRESETS[preset](Path("photos"), Path("run"), style)
    assert on_two_cores(config).resolution == 128


@pytest.mark.parametrize("task", ["colourise", "upscale", "inpaint"])
def test_a_small_preset_is_small_and_stays_as_it_is_without_a_gpu(task: str, pictures: Path, tmp_path: Path) -> None:
    config = TRANSLATION_PRESETS[f"{task}_on_two_cores"](Path("photos"), Path("run"), None)
    assert sum(parameter.numel() for parameter in new_generator(config, torch.device("cpu")).parameters()) < 3_000_000
    options = {"device": "cpu"}
    lines = train_recipe(
        "translation", data=pictures, out=tmp_path / "run", preset=f"{task}_on_two_cores", options=options, dry_run=True
    )
    assert f"total_images: int = {config.total_images}" in lines


def test_settings_are_read_by_their_type() -> None:
    assert read_change(TranslationConfig, "ngf=32") == ("ngf", 32)
    assert read_change(TranslationConfig, "colour_weight=2.5") == ("colour_weight", 2.5)
    assert read_change(TranslationConfig, "bfloat16=false") == ("bfloat16", False)
    assert read_change(TranslationConfig, "augment=translation,cutout") == ("augment", ("translation", "cutout"))
    assert read_change(TranslationConfig, "also=faces") == ("also", Path("faces"))
    assert read_change(TranslationConfig, "task=") == ("task", None)
    for change, words in [("ngf=many", "a whole number"), ("bfloat16=1", "true or false"), ("ngff=1", "no setting")]:
        with pytest.raises(ValueError, match=words):
            read_change(TranslationConfig, change)


def test_what_cannot_be_trained_is_refused(pictures: Path, tmp_path: Path) -> None:
    def refused(words: str, preset: str, style: Path | None, *changes: str) -> None:
        with pytest.raises(ValueError, match=words):
            options = {"style": style}
            train_recipe(
                "translation", data=pictures, out=tmp_path / "run", preset=preset, options=options, changes=changes
            )

    refused("no preset 'watercolour'", "watercolour", pictures)
    refused("needs the pictures whose look is wanted", "painting", None)
    refused("leave out style", "colourise", pictures)
    refused("multiple of 128", "colourise", None, "resolution=64")
    refused("trains the resnet generator", "painting", pictures, "generator=unet")
    assert not (tmp_path / "run").exists()


PORTRAITS = [(recipe, preset) for recipe, presets in PORTRAIT_PRESETS.items() for preset in presets]


@pytest.mark.parametrize(("recipe", "preset"), PORTRAITS)
def test_a_dry_run_says_what_would_be_done_and_trains_nothing(
    recipe: str, preset: str, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    options = {"resolution": 16, "device": "cpu", "batch": 8, "total_images": 1600}
    lines = train_recipe(recipe, data=pictures, out=out, preset=preset, options=options, dry_run=True)
    assert lines[0] == f"preset {preset}"
    assert "resolution: int = 16" in lines
    assert f"out: Path = '{out}'" in lines
    assert any("GFLOP; judged" in line for line in lines)
    assert any(line.startswith("1,600 images at 20% of this device's matrix products") for line in lines)
    assert not out.exists()


def test_every_recipe_has_a_loop_and_presets() -> None:
    assert LOOPS.keys() == {*PORTRAIT_PRESETS, "translation"}


def test_any_setting_of_any_recipe_is_changed_by_name(pictures: Path, tmp_path: Path) -> None:
    options = {"resolution": 16, "device": "cpu", "batch": 8, "total_images": 8}
    changes = ["channels=4", "z_dim=8", "loss=hinge", "penalty=", "augment=colour,cutout", "measured_pictures=4"]
    train_recipe("dcgan", data=pictures, out=tmp_path / "run", options=options, changes=changes)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["loss"], config["penalty"], config["augment"]) == ("hinge", None, ["colour", "cutout"])
    with pytest.raises(ValueError, match="known are non_saturating, minimax"):
        train_recipe("dcgan", data=pictures, out=tmp_path / "run", options=options, changes=["loss=sharp"])
