"""`personne train` on a folder that holds something else, and where there is no room: sentences, nothing lost."""

import contextlib
import resource
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.personne.invoking import invoke
from tests.personne.test_train_refused import TINY_DCGAN, arguments, pictures, refusal
from tests.training.picture_folder import blot
from training.errors import RunRefused
from training.snapshots import list_snapshots

LONGER = ("--images", "16")


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_run_is_not_made_among_its_pictures(tmp_path: Path) -> None:
    """As it went on, it learnt from its own samples."""
    data = tmp_path / "faces"
    data.mkdir()
    for number in range(6):
        blot(number, (16, 16)).save(data / f"{number}.png")
    for out in (data, data / "runs" / "mine"):
        said = refusal(ValueError, *arguments("dcgan", data, out, *TINY_DCGAN))
        assert said == f"{out} lies in {data}, and its samples would be learnt from; choose another --out"
    assert len(list(data.iterdir())) == 6


def test_the_folder_of_another_recipe(tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    assert invoke(*arguments("dcgan", data, out, *TINY_DCGAN)).exit_code == 0
    kept = (out / "state.pt").read_bytes()
    said = refusal(RunRefused, *arguments("autoencoder", data, out, *TINY_DCGAN), *LONGER)
    assert said == f"{out}/state.pt is of a run of another kind: it holds no encoder, optimiser; choose another folder"
    assert (out / "state.pt").read_bytes() == kept


@pytest.mark.parametrize("left", [0, 5000])
def test_a_state_that_was_cut_short(left: int, tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    assert invoke(*arguments("dcgan", data, out, *TINY_DCGAN)).exit_code == 0
    state = out / "state.pt"
    state.write_bytes(state.read_bytes()[:left])
    said = refusal(RunRefused, *arguments("dcgan", data, out, *TINY_DCGAN), *LONGER)
    assert said.startswith(f"{state} is damaged and cannot be read: put a copy back, or delete it")


def test_no_room_for_the_state(tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    command = arguments("dcgan", data, out, *TINY_DCGAN)
    assert invoke(*command).exit_code == 0
    kept = (out / "state.pt").read_bytes()
    with room_for(len(kept) // 2):
        said = refusal(OSError, *command, *LONGER)
    assert said.startswith(f"{out}/state.pt could not be written, and what was there before stays; ")
    assert "MB are free there" in said
    assert (out / "state.pt").read_bytes() == kept
    assert not list(out.glob(".*.partial"))
    assert invoke(*command, *LONGER).exit_code == 0


def test_no_room_for_a_snapshot(tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    with room_for(4000):
        said = refusal(OSError, *arguments("dcgan", data, out, *TINY_DCGAN, "snapshot_every_images=4"))
    assert "faces-000000004.safetensors could not be written" in said
    assert not list_snapshots(out)


def test_settings_of_an_optimiser_are_those_that_the_run_goes_on_with(tmp_path: Path) -> None:
    """They were written into config.json, and those of the beginning stayed in force."""
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "run"
    command = ("train", "features", "--data", data, "--out", out, "--device", "cpu", "--batch", "4")
    for images, decay in (("4", 0.5), ("8", 0.25)):
        answer = invoke(*command, "--images", images, "--set", f"weight_decay={decay}")
        assert answer.exit_code == 0, answer.exception
        (group,) = torch.load(out / "state.pt", weights_only=True)["optimiser"]["param_groups"]
        assert group["weight_decay"] == decay


def test_the_command_in_the_card_works_as_it_stands(tmp_path: Path) -> None:
    data, out = pictures(tmp_path / "blots.zip"), tmp_path / "My Faces (2)"
    assert invoke(*arguments("dcgan", data, out, *TINY_DCGAN)).exit_code == 0
    said = next(line for line in (out / "card.md").read_text().splitlines() if line.startswith("`personne export"))
    assert shlex.split(said.split("`")[1]) == ["personne", "export", str(out), "--name", "my-faces-2"]
