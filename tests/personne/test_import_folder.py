"""personne import of a model's folder: a model that was made elsewhere is copied whole, or not at all."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.catalogue import BUNDLED, find_models, open_model
from tests.personne.invoking import invoke


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A model from another machine."""
    return shutil.copytree(BUNDLED / "faces", tmp_path / "brought")


def run(source: Path, store: Path, *options: str) -> str:
    """What the command said, or the sentence with which it ended."""
    result = invoke("import", source, "--store", store, *options)
    return str(result.exception) if result.exception and not isinstance(result.exception, SystemExit) else result.output


def test_it_is_there_under_its_name_with_all_its_files(brought: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    told = run(brought, store)
    assert "faces (" in told
    entry = find_models(store).named("faces")
    assert entry.source == "store"
    assert entry.directions.digest == find_models(None).named("faces").directions.digest
    kept = {path.relative_to(brought): path.stat().st_size for path in brought.rglob("*") if path.is_file()}
    copied = {path.relative_to(entry.folder) for path in entry.folder.rglob("*") if path.is_file()}
    assert copied == set(kept)


def test_it_may_be_called_otherwise_and_draws_the_same(tiny_model: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(tiny_model, store, "--name", "others")
    assert find_models(store).named("others").manifest.digest == open_model(tiny_model, "store").manifest.digest


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_a_model_goes_by_one_name(brought: Path, tiny_model: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    store = tmp_path / "store"
    assert "has the very graphs of 'faces', and one model goes by one name" in run(
        brought, store, "--name", "others", *options
    )
    run(tiny_model, store, "--name", "mine")
    assert "use 'mine'" in run(tiny_model, store, "--name", "others", *options)
    assert [path.name for path in store.glob("[!.]*")] == ["mine"]
    assert "mine (" in run(tiny_model, store, "--name", "mine", "--force")


def test_a_name_that_is_taken_is_kept_unless_forced(brought: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(brought, store)
    assert "--force" in run(brought, store, "--name", "faces")
    assert "faces (" in run(brought, store, "--force")


@pytest.mark.parametrize("part", ["mapping", "synthesis", "encoder", "gradient"])
def test_a_changed_graph_leaves_nothing(brought: Path, tmp_path: Path, part: str) -> None:
    (graph,) = brought.glob(f"{part}*.onnx")
    graph.write_bytes(graph.read_bytes() + b"\0")
    store = tmp_path / "store"
    assert "wrong hash" in run(brought, store)
    assert not store.exists() or not any(store.glob("[!.]*"))


def test_links_are_not_followed(brought: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("of somebody")
    (brought / "sheet2.jpg").symlink_to(secret)
    store = tmp_path / "store"
    run(brought, store)
    assert not (store / "faces" / "sheet2.jpg").exists()


def test_options_of_checkpoints_are_refused(brought: Path, tmp_path: Path) -> None:
    assert "is a model already" in run(brought, tmp_path / "store", "--kind", "pix2pix-paper")


def test_it_needs_no_torch(brought: Path, tmp_path: Path) -> None:
    """As in the environment that serves."""
    code = (
        "import sys; sys.modules.update(torch=None, onnx=None, onnxscript=None); "
        "from personne.cli import main; sys.argv[0] = 'personne'; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "import", str(brought), "--store", str(tmp_path / "store")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads((tmp_path / "store" / "faces" / "manifest.json").read_text())["name"] == "faces"
