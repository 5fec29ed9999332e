"""personne train translation: options, presets, settings by name."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from personne.commands.train_translation import read_change, train_translation
from training.presets import TRANSLATION_PRESETS, on_two_cores

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
    options = {"total_images": 4, "resolution": 16, "batch": 2, "device": "cpu", "seed": None, "also": None}
    train_translation(data=pictures, style=style, out=tmp_path / "run", preset=preset, options=options, changes=TINY)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["ngf"], config["batch"], config["augment"], config["seed"]) == (4, 2, [], 0)
    assert len(list((tmp_path / "run" / "snapshots").glob("translation-*.safetensors"))) == 1


@pytest.mark.parametrize("preset", TRANSLATION_PRESETS)
def test_every_preset_is_sound_on_a_gpu_and_shrunk(preset: str) -> None:
    style = None if preset in {"colourise", "upscale", "inpaint", "drawing"} else Path("paintings")
    config = TRANSLATION_PRESETS[preset](Path("photos"), Path("run"), style)
    assert on_two_cores(config).resolution == 128


def test_settings_are_read_by_their_type() -> None:
    assert read_change("ngf=32") == ("ngf", 32)
    assert read_change("colour_weight=2.5") == ("colour_weight", 2.5)
    assert read_change("bfloat16=false") == ("bfloat16", False)
    assert read_change("augment=translation,cutout") == ("augment", ("translation", "cutout"))
    assert read_change("also=faces") == ("also", Path("faces"))
    assert read_change("task=") == ("task", None)
    for change, words in [("ngf=many", "a whole number"), ("bfloat16=1", "true or false"), ("ngff=1", "no setting")]:
        with pytest.raises(ValueError, match=words):
            read_change(change)


def test_what_cannot_be_trained_is_refused(pictures: Path, tmp_path: Path) -> None:
    def refused(words: str, preset: str, style: Path | None, *changes: str) -> None:
        with pytest.raises(ValueError, match=words):
            train_translation(
                data=pictures, style=style, out=tmp_path / "run", preset=preset, options={}, changes=changes
            )

    refused("no preset 'watercolour'", "watercolour", pictures)
    refused("needs the pictures whose look is wanted", "painting", None)
    refused("leave out style", "colourise", pictures)
    refused("multiple of 128", "colourise", None, "resolution=64")
    refused("trains the resnet generator", "painting", pictures, "generator=unet")
    assert not (tmp_path / "run").exists()
