"""personne verify-model: hashes and parity again, told as a table and an exit status."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from safetensors.torch import load_file, save_file

from models.catalogue import BUNDLED, find_models
from models.errors import ModelNotFound, ModelRefused
from models.export.export_model import ModelFacts, export_model
from models.manifest import read_manifest
from personne.commands.verify_model import verify_model
from personne.errors import ModelOff
from tests.tiny_networks import tiny_network


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a DCGAN: the quickest to export."""
    store = tmp_path_factory.mktemp("verified")
    network, family, kwargs = tiny_network("dcgan")
    facts = ModelFacts(name="small", licence="CC0-1.0", origin="random weights, for tests")
    export_model(network, family, facts, store / "small", kwargs=kwargs, keep_weights=True, float16=True)
    return store


@pytest.fixture
def store(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "store")


def verify(store: Path, name: str = "small", **options: Any) -> None:
    verify_model(find_models(store), name, **{"seeds": 4, "device": "cpu", **options})


def sign_again(folder: Path) -> None:
    """Make the manifest fit files that were changed."""
    import hashlib

    manifest = json.loads((folder / "manifest.json").read_text())
    for spec in manifest["graphs"].values():
        spec["sha256"] = hashlib.sha256((folder / spec["file"]).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_model_as_exported_agrees(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(store)
    told = capsys.readouterr().out
    assert "the hashes of 3 graphs are right" in told
    for said in ("mapping", "synthesis", "synthesis_float16", "4 seeds", "of 255", "dB", "images/s"):
        assert said in told
    assert "OFF" not in told


def test_without_weights_the_network_is_rebuilt_from_the_graphs(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (store / "small" / "weights.safetensors").unlink()
    verify(store)
    assert "OFF" not in capsys.readouterr().out


def test_the_bundled_model_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(tmp_path, "faces")
    assert f"faces ({read_manifest(BUNDLED / 'faces').digest})" in capsys.readouterr().out


def test_other_weights_than_the_graphs_are_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = store / "small" / "weights.safetensors"
    weights = load_file(path)
    weights["main.3.weight"] = weights["main.3.weight"] * 1.2
    save_file(weights, path)
    with pytest.raises(ModelOff, match=r"small is off: synthesis: pictures differ by .* levels"):
        verify(store)
    assert "OFF" in capsys.readouterr().out
    assert ModelOff.exit_status == 1


def test_a_float16_graph_of_another_network_is_told(store: Path) -> None:
    path = store / "small" / "synthesis_float16.onnx"
    model = onnx.load(path)
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("main.3.weight.half"))
    tensor.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, path)
    sign_again(store / "small")
    with pytest.raises(ModelOff, match=r"synthesis_float16: PSNR \d+\.\d dB against float32 \(at least 40\)"):
        verify(store)


def test_a_changed_file_is_refused_by_its_hash(store: Path) -> None:
    path = store / "small" / "synthesis.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelRefused, match="wrong hash"):
        verify(store)


def test_a_model_that_does_not_say_how_it_was_built(store: Path) -> None:
    path = store / "small" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "kwargs": {}}))
    with pytest.raises(ModelRefused, match="does not say how its network was built"):
        verify(store)


def test_a_model_that_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="known are: faces"):
        verify(tmp_path, "none")


def test_the_command_ends_with_its_status(store: Path) -> None:
    path = store / "small" / "weights.safetensors"
    weights = load_file(path)
    weights["main.0.weight"] = weights["main.0.weight"] * 3
    save_file(weights, path)
    command = [sys.executable, "-m", "personne", "verify-model", "small", "--seeds", "2", "--store", str(store)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    assert "small is off" in ended.stderr
