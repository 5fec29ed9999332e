"""personne import where things go otherwise: refusals, interruptions, runs of our own, names that are taken."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import Result

from models.catalogue import find_models
from models.errors import ModelsError
from models.manifest import TranslatorManifest
from models.networks.patchgan import PatchDiscriminator
from models.networks.stylegan2 import Generator
from models.networks.translator import ResnetTranslator
from models.store import Store
from personne.errors import sentence
from tests.house.tracked import ROOT
from tests.models.checkpoints.pickles import write_nvlabs_pickle
from tests.personne.invoking import invoke
from training.snapshots import save_snapshot

KWARGS: dict[str, Any] = {
    "z_dim": 8,
    "c_dim": 0,
    "w_dim": 8,
    "img_resolution": 8,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 64, "channel_max": 8, "conv_clamp": 3},
}


def resnet(**kwargs: Any) -> dict[str, Tensor]:
    torch.manual_seed(2)
    return ResnetTranslator(**{"ngf": 4, "n_blocks": 1, **kwargs}).state_dict()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "Latest Net_G.pth"
    torch.save(resnet(), path)
    return path


def personne(store: Path, *arguments: str | Path) -> Result:
    return invoke("import", *arguments, "--store", store)


def refusal(store: Path, *arguments: str | Path) -> str:
    """The sentence of a refused import, after which the store is as it was."""
    before = sorted(store.iterdir()) if store.exists() else []
    result = personne(store, *arguments)
    assert isinstance(result.exception, ModelsError | OSError), result.output
    assert (sorted(store.iterdir()) if store.exists() else []) == before
    return sentence(result.exception)


def test_a_translator_with_all_that_can_be_said(store: Path, checkpoint: Path) -> None:
    result = personne(store, checkpoint, "--licence", "CC0-1.0", "--title", "Blots")
    assert result.exit_code == 0, result.output
    entry = find_models(store).named("latest-net_g")
    assert isinstance(entry.manifest, TranslatorManifest)
    assert (entry.manifest.licence, entry.manifest.title, entry.manifest.ngf) == ("CC0-1.0", "Blots", 4)
    assert entry.manifest.origin == "imported from Latest Net_G.pth (a PyTorch state dict)"
    with Image.open(entry.folder / "sheet.jpg") as sheet:
        assert sheet.size == (4 * 256, 2 * 256)
    for moment in ("before", "after"):
        with Image.open(entry.folder / f"{moment}.jpg") as thumbnail:
            assert thumbnail.size == (320, 240)
    card = (entry.folder / "card.md").read_text()
    for said in ("A cyclegan translator of pictures (Blots)", "| licence | CC0-1.0 |", "multiples of 4"):
        assert said in card
    weights = load_file(entry.folder / "weights.safetensors")
    assert weights.keys() == resnet().keys()


def test_what_an_import_wrote_can_be_imported_again(store: Path, checkpoint: Path, tmp_path: Path) -> None:
    personne(store, checkpoint, "--name", "first")
    weights, elsewhere = store / "first" / "weights.safetensors", tmp_path / "elsewhere"
    result = personne(elsewhere, weights, "--name", "second")
    assert result.exit_code == 0, result.output
    first, second = find_models(store).named("first"), find_models(elsewhere).named("second")
    assert first.manifest.digest == second.manifest.digest
    for options in ([], ["--force"]):
        assert "has the very graphs of 'first'" in refusal(store, weights, "--name", "second", *options)
    assert personne(store, weights, "--name", "first", "--force").exit_code == 0


def test_notes_are_said_and_written_down(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "net_G.pth"
    torch.save({"G_ema": resnet(norm="batch"), "G": resnet(norm="batch")}, path)
    result = personne(store, path, "--kind", "pix2pix-paper")
    assert result.exit_code == 0, result.output
    card = (store / "net_g" / "card.md").read_text()
    for note in ("each picture's own statistics", "'G_ema' was taken"):
        assert note in result.stderr
        assert note in card
    assert find_models(store).named("net_g").manifest.kwargs["evaluation"] == "batch"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "mine"
    (folder / "snapshots").mkdir(parents=True)
    for images_seen in (1000, 2000):
        torch.manual_seed(images_seen)
        generator = Generator(**KWARGS)
        save_snapshot(folder, generator, images_seen, KWARGS)
    average = generator.state_dict()
    last = {name: torch.zeros_like(tensor) for name, tensor in average.items()}
    torch.save({"version": 2, "generator": last, "average": average, "images_seen": 2000}, folder / "state.pt")
    return folder


@pytest.mark.parametrize("what", ["", "snapshots/faces-000002000.safetensors", "state.pt"])
def test_runs_of_our_own(store: Path, run: Path, what: str) -> None:
    result = personne(store, run / what, "--name", "mine")
    assert result.exit_code == 0, result.output
    manifest = find_models(store).named("mine").manifest
    assert manifest.kwargs["synthesis_kwargs"]["conv_clamp"] == 3, "told by the JSON beside the snapshot"  # type: ignore[call-overload,index]
    assert manifest.metrics.get("images_seen") == (None if what == "state.pt" else 2000)


def test_what_is_refused(store: Path, tmp_path: Path, checkpoint: Path) -> None:
    discriminator, text = tmp_path / "latest_net_D.pth", tmp_path / "notes.pkl"
    torch.save(PatchDiscriminator(ndf=4).state_dict(), discriminator)
    text.write_text("not a checkpoint")
    assert refusal(store, discriminator) == "The file holds a PatchGAN discriminator alone, which cannot be served."
    assert "of no known container" in refusal(store, text)
    assert "cannot be read" in refusal(store, tmp_path / "absent.pth")
    assert "There is no kind 'gan'" in refusal(store, checkpoint, "--kind", "gan")
    assert "--kind says pggan" in refusal(store, checkpoint, "--kind", "pggan")
    pickled = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", KWARGS, Generator(**KWARGS).state_dict())
    assert "holds a stylegan2 network; --kind says pggan" in refusal(store, pickled, "--kind", "pggan")
    assert "'../x' is no model name" in refusal(store, checkpoint, "--name", "../x")
    assert "holds no snapshot yet" in refusal(store, tmp_path)


def test_a_name_that_is_taken(store: Path, checkpoint: Path, tmp_path: Path) -> None:
    personne(store, checkpoint, "--name", "mine")
    before = find_models(store).named("mine").manifest.digest
    torch.save(resnet(n_blocks=2), other := tmp_path / "other.pth")
    assert "Replace" not in refusal(store, other, "--name", "mine")
    assert "has a model 'mine' already" in refusal(store, other, "--name", "mine")
    assert find_models(store).named("mine").manifest.digest == before
    assert personne(store, other, "--name", "mine", "--force").exit_code == 0
    assert find_models(store).named("mine").manifest.digest != before
    assert invoke("remove", "mine", "--store", store).exit_code == 0
    assert Store(store).names() == []


def test_status_and_sentence_of_the_command_itself(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    said = subprocess.run(
        [sys.executable, "-m", "personne", "import", path, "--store", store],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2
    assert "Traceback" not in said.stderr
    assert said.stderr.splitlines()[-1].startswith("personne: ")
    assert said.stdout == ""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_import_leaves_no_half_model(store: Path, checkpoint: Path, sent: signal.Signals) -> None:
    importing = subprocess.Popen(
        [sys.executable, "-m", "personne", "import", checkpoint, "--name", "half", "--store", store],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
        # What a shell starts in the background ignores SIGINT, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    # As soon as a graph of the model is on disk.
    deadline = time.monotonic() + 250
    while not list(store.glob(".making-half-*/**/*.onnx")):
        assert importing.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    importing.send_signal(sent)
    assert importing.wait() != 0
    assert list(find_models(store, bundled=store)) == []
    Store(store).clean()
    assert list(store.iterdir()) == []


def test_a_run_of_another_kind_says_so(store: Path, tmp_path: Path) -> None:
    weights = tmp_path / "x.safetensors"
    weights.touch()
    weights.with_suffix(".json").write_text(json.dumps({"hello": 1}))
    assert "describes no snapshot of personne" in refusal(store, weights)
