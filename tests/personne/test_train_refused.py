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
