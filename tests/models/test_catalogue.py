"""A model is checked before anything opens it, and a refusal says which file and why."""

import json
import shutil
from pathlib import Path

import pytest

from models.catalogue import BUNDLED, find_models, open_model
from models.errors import ModelNotFound, ModelRefused
from models.manifest import MANIFEST_FILE


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "store" / tiny_model.name
    shutil.copytree(tiny_model, folder)
    return folder


def change(folder: Path, **fields: object) -> None:
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_a_good_folder_opens(copy: Path) -> None:
    entry = open_model(copy, "store")
    assert entry.manifest.resolution == 32
    assert entry.manifest.num_ws == 8
    assert len(entry.manifest.w_avg) == entry.manifest.w_dim
    assert entry.graph_path("synthesis").is_file()


def test_a_changed_graph_is_refused(copy: Path) -> None:
    with (copy / "synthesis.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelRefused, match=r"synthesis\.onnx has the wrong hash"):
        open_model(copy, "store")


def test_a_missing_graph_is_refused(copy: Path) -> None:
    (copy / "mapping.onnx").unlink()
    with pytest.raises(ModelRefused, match=r"mapping graph mapping\.onnx is missing"):
        open_model(copy, "store")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"version": 2}, r"manifest version 2; this release reads version 1"),
        ({"version": None}, r"manifest version None"),
        ({"resolution": "large"}, r"resolution: .*integer"),
        ({"colour": "red"}, r"colour: Extra inputs"),
        (
            {"graphs": {"mapping": {"file": "../../etc/passwd", "sha256": "0" * 64, "bytes": 1}}},
            r"graphs\.mapping\.file",
        ),
    ],
)
def test_a_bad_manifest_is_refused(copy: Path, fields: dict[str, object], sentence: str) -> None:
    change(copy, **fields)
    with pytest.raises(ModelRefused, match=sentence):
        open_model(copy, "store")


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_broken_manifest_is_refused(copy: Path, content: str) -> None:
    (copy / MANIFEST_FILE).write_text(content)
    with pytest.raises(ModelRefused, match=r"manifest\.json"):
        open_model(copy, "store")


def test_a_folder_without_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"holds no manifest\.json"):
        open_model(tmp_path, "store")


def test_one_broken_folder_stops_nobody(copy: Path) -> None:
    broken = copy.with_name("broken")
    shutil.copytree(copy, broken)
    change(broken, name="broken")
    (broken / "mapping.onnx").unlink()
    found = find_models(copy.parent, bundled=copy.parent / "absent")
    assert [entry.manifest.name for entry in found] == ["tiny"]
    assert len(found.refusals) == 1
    assert "broken" in found.refusals[0].reason


def test_lookup_by_name_and_digest(copy: Path) -> None:
    found = find_models(copy.parent, bundled=copy.parent / "absent")
    entry = found.named("tiny")
    assert found.with_digest(entry.manifest.digest) is entry
    with pytest.raises(ModelNotFound, match=r"'nobody'.*known are: tiny"):
        found.named("nobody")
    with pytest.raises(ModelNotFound):
        found.with_digest("0" * 16)


def test_the_store_wins_over_the_bundle(copy: Path, tiny_store: Path) -> None:
    found = find_models(copy.parent, bundled=tiny_store)
    assert found.named("tiny").source == "store"
    assert found.named("tiny").folder == copy


def test_of_two_names_for_one_model_the_bundled_one_stays(copy: Path, tiny_store: Path) -> None:
    other = copy.rename(copy.with_name("aaa"))
    change(other, name="aaa")
    found = find_models(other.parent, bundled=tiny_store)
    assert [entry.manifest.name for entry in found] == ["tiny"]
    assert [(refusal.folder, "use 'tiny'" in refusal.reason) for refusal in found.refusals] == [(other, True)]
    with pytest.raises(ModelNotFound):
        found.named("aaa")


def test_the_digest_follows_the_graphs(copy: Path) -> None:
    before = open_model(copy, "store").manifest
    renamed = before.model_copy(update={"name": "other", "metrics": {"x": 1.0}})
    assert renamed.digest == before.digest
    mapping = before.graphs["mapping"].model_copy(update={"sha256": "0" * 64})
    assert before.model_copy(update={"graphs": {**before.graphs, "mapping": mapping}}).digest != before.digest


def test_the_bundled_models_are_whole() -> None:
    found = find_models(None)
    assert not found.refusals
    faces = found.named("faces")
    assert faces.folder.parent == BUNDLED
    assert faces.manifest.training_data
    for name in ("card.md", "sheet.jpg"):
        assert (faces.folder / name).is_file()
    assert sum(graph.bytes for graph in faces.manifest.graphs.values()) <= 15_000_000
