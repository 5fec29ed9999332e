"""`personne train` with what cannot be: a sentence before anything is trained, and nothing left behind."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.personne.invoking import invoke
from training.errors import RunRefused

TINY = (
    "z_dim=8",
    "w_dim=8",
    "channel_base=64",
    "channel_max=8",
    "measured_pictures=0",
    "grid_rows=1",
    "grid_columns=2",
)
TINY_DCGAN = ("z_dim=8", "channels=4", "measured_pictures=0", "grid_rows=1", "grid_columns=2")


def pictures(target: Path, classes: int = 2, names: tuple[str, ...] = ()) -> Path:
    """A zip as StyleGAN's tools write it, six blots of so many classes."""
    random = np.random.RandomState(0)
    labels = [[f"{i}.png", i % classes] for i in range(6)]
    with zipfile.ZipFile(target, "w") as archive:
        for name, _ in labels:
            with archive.open(name, "w") as file:
                Image.fromarray(random.randint(0, 255, (16, 16, 3)).astype(np.uint8)).save(file, "png")
        archive.writestr("dataset.json", json.dumps({"labels": labels, "personne": {"class_names": names}}))
    return target


def arguments(recipe: str, data: Path, out: Path, *changes: str, device: str = "cpu") -> list[str | Path]:
    options = ["--data", data, "--out", out, "--device", device, "--batch", "4", "--images", "8", "--resolution", "16"]
    return ["train", recipe, *options, *(word for change in changes for word in ("--set", change))]


def refusal(kind: type[Exception], *words: str | Path) -> str:
    answer = invoke(*words)
    assert isinstance(answer.exception, kind), f"which `personne` says in a line: {answer.output} {answer.exception!r}"
    return str(answer.exception)


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("foo", "device is 'foo'; it must be auto, cpu, cuda, or one of several GPUs: cuda:1"),
        ("meta", "device is 'meta'; it must be"),
        ("cuda", "device is 'cuda', and torch finds no CUDA devices here; leave --device out"),
        ("cuda:3", "device is 'cuda:3', and torch finds no CUDA devices here"),
    ],
)
def test_a_device_that_is_not_to_be_had(
    device: str, sentence: str, dry: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    assert sentence in refusal(RunRefused, *arguments("faces", data, out, device=device), *dry)
    assert not out.exists()


@pytest.mark.parametrize(
    "name",
    ["log_every_images", "state_every_images", "samples_every_images", "snapshot_every_images", "keep_snapshots"],
)
def test_intervals_and_snapshots_that_stay_are_at_least_one(name: str, tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    said = refusal(ValueError, *arguments("faces", data, out, *TINY, f"{name}=0"))
    assert said == f"{name} is 0; it must be at least 1"
    assert not out.exists()


@pytest.mark.parametrize(
    ("recipe", "change", "sentence"),
    [
        # Accepted before, and trained the wrong way round or not at all.
        ("faces", "r1_gamma=-1", "r1_gamma is -1.0; it must be 0 or more"),
        ("dcgan", "r1_gamma=nan", "r1_gamma is nan; it must be 0 or more"),
        ("faces", "path_length_weight=-2", "path_length_weight is -2.0; it must be 0 or more"),
        ("faces", "freeze_layers=-1", "freeze_layers is -1; it must be 0 or more"),
        ("faces", "state_every_s=-1", "state_every_s is -1.0; it must be 0 or more"),
        ("faces", "ema_ramp=nan", "ema_ramp is nan; it must be 0 or more"),
        ("faces", "ema_half_life_images=-1", "ema_half_life_images is -1; it must be 0 or more"),
        ("faces", "sample_psi=nan", "sample_psi is nan; it must be a number"),
        ("autoencoder", "beta=-1", "beta is -1.0; it must be 0 or more"),
        ("autoencoder", "adversarial_weight=nan", "adversarial_weight is nan; it must be 0 or more"),
        ("translation", "learning_rate=-1", "learning_rate is -1.0; it must be 0 or more"),
        ("translation", "l1_weight=-1", "l1_weight is -1.0; it must be 0 or more"),
        ("translation", "picture_side=0", "picture_side is 0; it must be at least 1"),
        # Ended in tracebacks before.
        ("faces", "w_dim=0", "w_dim is 0; it must be at least 1"),
        ("faces", "mapping_layers=0", "mapping_layers is 0; it must be at least 1"),
        ("faces", "channel_base=8", "channel_base is 8; it must be at least the resolution, 16"),
        ("faces", "minibatch_std_group=0", "minibatch_std_group is 0; it must be at least 1"),
        ("faces", "resolution=4", "resolution is 4; a discriminator of faces needs 8"),
        ("faces", "num_classes=2", "num_classes and class_names are what the data of a conditional run say"),
        ("pggan", "minibatch_std_group=0", "minibatch_std_group is 0; it must be at least 1"),
        ("stylegan1", "channel_max=-1", "channel_max is -1; it must be at least 1"),
        # What PyTorch said of it before told nobody which setting it was.
        ("faces", "conv_clamp=-1", "conv_clamp is -1.0; it must be above 0"),
        ("autoencoder", "kind=autoencoder,batch=1", "batch is 1; codes that are whitened need at least 2 pictures"),
    ],
)
def test_a_setting_that_nothing_can_be_trained_with(recipe: str, change: str, sentence: str, tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    words = arguments(recipe, data, out, *change.split(","))
    if recipe == "translation":
        words = [*words, "--preset", "colourise", "--resolution", "128"]
    assert refusal(ValueError, *words).startswith(sentence)
    assert not out.exists()


def test_the_metrics_encoder_refuses_what_turns_its_contrast_round(tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    words = ("train", "features", "--data", data, "--out", out, "--device", "cpu", "--set", "temperature=-1")
    assert refusal(ValueError, *words) == "temperature is -1.0; it must be above 0"
    assert not out.exists()


@pytest.mark.parametrize(("recipe", "tiny"), [("faces", TINY), ("dcgan", TINY_DCGAN)])
def test_a_conditional_run_goes_on_with_its_own_classes_only(
    recipe: str, tiny: tuple[str, ...], tmp_path: Path
) -> None:
    out, changes = tmp_path / "run", (*tiny, "conditional=true")
    two, others, three, unnamed = (
        pictures(tmp_path / f"{number}.zip", classes, names)
        for number, (classes, names) in enumerate([(2, ("a", "b")), (2, ("b", "a")), (3, ("a", "b", "c")), (2, ())])
    )
    assert invoke(*arguments(recipe, two, out, *changes)).exit_code == 0
    kept = (out / "state.pt").read_bytes()
    longer = ("--images", "16")
    said = refusal(RunRefused, *arguments(recipe, three, out, *changes), *longer)
    assert said == f"{out} was begun with num_classes 2, not 3; choose another folder for it"
    said = refusal(RunRefused, *arguments(recipe, others, out, *changes), *longer)
    assert said == f"{out} was begun with class_names ['a', 'b'], not ['b', 'a']; choose another folder for it"
    assert (out / "state.pt").read_bytes() == kept
    for images, data in (("12", two), ("16", unnamed)):
        answer = invoke(*arguments(recipe, data, out, *changes), "--images", images)
        assert answer.exit_code == 0, answer.exception
