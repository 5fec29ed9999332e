"""personne export: from a training run to a model that the catalogue opens, with sheet and card."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from models.catalogue import find_models
from models.errors import ModelRefused
from models.networks.stylegan2 import Generator
from personne.commands.export_model import export_run, read_facts
from training.snapshots import save_snapshot

KWARGS = {
    "z_dim": 16,
    "c_dim": 0,
    "w_dim": 16,
    "img_resolution": 16,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 256, "channel_max": 16, "conv_clamp": 256},
}
FACTS = {
    "licence": "CC0-1.0",
    "origin": "random weights",
    "training_data": [{"name": "nothing", "images": 0, "licence": "CC0-1.0"}],
    "machine": "a test",
    "notes": "It shows blots.",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "mine"
    for images_seen in (1000, 3000):
        (folder / "snapshots").mkdir(parents=True, exist_ok=True)
        torch.manual_seed(images_seen)
        generator = Generator(**KWARGS)
        with torch.no_grad():
            generator.synthesis.b8.conv0.noise_strength.fill_(0.5)
        save_snapshot(folder, generator, images_seen, KWARGS)
    rows = [{"images_seen": seen, "images_per_second": 0.5} for seen in (1000, 2000, 3000, 4000)]
    (folder / "stats.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.fixture(scope="module")
def store(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("store")
    facts = store / "facts.json"
    facts.write_text(json.dumps(FACTS))
    export_run(run, name="mine", store=store, facts_file=facts)
    return store


def test_the_newest_snapshot_becomes_a_model(store: Path) -> None:
    entry = find_models(store).named("mine")
    assert entry.manifest.metrics["images_seen"] == 3000
    assert entry.manifest.metrics["training_hours"] == pytest.approx(3000 / 0.5 / 3600, abs=0.01)
    assert entry.manifest.licence == "CC0-1.0"
    assert (entry.folder / "weights.safetensors").is_file(), "a model in the store keeps its weights"


def test_sheet_and_card(store: Path) -> None:
    folder = store / "mine"
    with Image.open(folder / "sheet.jpg") as sheet:
        assert sheet.size == (10 * 16, 4 * 16)
    card = (folder / "card.md").read_text()
    for said in (
        "# mine",
        "16x16",
        "nothing: 0 pictures, CC0-1.0",
        "Trained on a test",
        "It shows blots.",
        "| 3,000 |",
    ):
        assert said in card


def test_one_snapshot_to_a_folder(run: Path, tmp_path: Path) -> None:
    snapshot = run / "snapshots" / "faces-000001000.safetensors"
    entry = export_run(snapshot, name="mine", store=tmp_path, out=tmp_path / "to")
    assert entry.folder == tmp_path / "to"
    assert not (entry.folder / "weights.safetensors").exists(), "a bundled model is without weights"
    again = export_run(snapshot, name="mine", store=tmp_path, out=tmp_path / "to")
    assert again.manifest.digest == entry.manifest.digest, "the same network gives the same files"


def test_bad_facts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text('{"origin": "here"}')
    with pytest.raises(ModelRefused, match="licence: Field required"):
        read_facts(path)


def test_a_run_without_snapshot(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no snapshot yet"):
        export_run(tmp_path, name="mine", store=tmp_path)


def test_noise_is_scaled_in_the_graphs_and_told(run: Path, tmp_path: Path) -> None:
    plain = export_run(run, name="plain", store=tmp_path, noise=0.0)
    assert plain.manifest.metrics["noise"] == 0
    assert "share of the trained noise strength that is in the graphs | 0 |" in (plain.folder / "card.md").read_text()
    weights = load_file(plain.folder / "weights.safetensors")
    strengths = [tensor for name, tensor in weights.items() if name.endswith("noise_strength")]
    assert len(strengths) == 5
    assert all(tensor.item() == 0 for tensor in strengths)


def test_figures_of_another_noise_are_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text('{"noise": 0.5}')
    with pytest.raises(ModelRefused, match=r"measured with --noise 0\.5; this export has --noise 1\.0"):
        export_run(run, name="mine", store=tmp_path, measured=tmp_path)
