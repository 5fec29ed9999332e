"""The store is followed: what is put in is found, what is taken away vanishes, and nothing is hashed twice."""

import json
import logging
import shutil
import time
from pathlib import Path

import pytest

import models.live_catalogue
from models.catalogue import Catalogue, sha256_of
from models.live_catalogue import LiveCatalogue
from models.manifest import MANIFEST_FILE


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def live(store: Path) -> LiveCatalogue:
    return LiveCatalogue(store, bundled=store / "nothing-bundled")


def put(tiny_model: Path, store: Path, name: str, *, same_graphs: bool = False) -> Path:
    """A model like this one under another name, there at once, as an import leaves it."""
    scratch = store.parent / name
    shutil.copytree(tiny_model, scratch)
    path, mapping = scratch / MANIFEST_FILE, scratch / "mapping.onnx"
    fields = {**json.loads(path.read_text()), "name": name}
    if not same_graphs:
        # Nobody opens it here: it may be any bytes.
        mapping.write_bytes(mapping.read_bytes() + name.encode())
        fields["graphs"]["mapping"]["sha256"] = sha256_of(mapping)
    path.write_text(json.dumps(fields))
    return scratch.rename(store / name)


def names(catalogue: Catalogue) -> list[str]:
    return [entry.manifest.name for entry in catalogue]


def test_a_model_comes_and_goes(tiny_model: Path, store: Path) -> None:
    shelf = live(store)
    assert names(shelf.now) == []
    before = shelf.now
    folder = put(tiny_model, store, "mine")
    assert names(shelf.now) == [], "nobody has looked yet"
    assert names(shelf.look()) == names(shelf.now) == ["mine"]
    assert names(before) == [], "a catalogue that somebody holds does not change"
    shutil.rmtree(folder)
    assert names(shelf.look()) == []


def test_a_store_that_is_made_later_is_found(tiny_model: Path, tmp_path: Path) -> None:
    shelf = live(tmp_path / "later")
    (tmp_path / "later").mkdir()
    put(tiny_model, tmp_path / "later", "mine")
    assert names(shelf.look()) == ["mine"]


def test_an_unchanged_store_gives_the_very_same_catalogue(tiny_model: Path, store: Path) -> None:
    put(tiny_model, store, "mine")
    shelf = live(store)
    first = shelf.now
    assert shelf.look() is first
    put(tiny_model, store, "second")
    assert shelf.look().named("mine") is first.named("mine"), "an unchanged folder is not opened again"


def test_each_file_is_hashed_once(tiny_model: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = models.live_catalogue.sha256_of

    def counted(path: Path) -> str:
        hashed.append(f"{path.parent.name}/{path.name}")
        return real(path)

    monkeypatch.setattr(models.live_catalogue, "sha256_of", counted)
    folder = put(tiny_model, store, "mine")
    shelf = live(store)
    put(tiny_model, store, "second")
    shelf.look()
    (folder / "card.md").write_text("changed")
    shelf.look()
    manifest = folder / MANIFEST_FILE
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "origin": "somebody else"}))
    assert shelf.look().named("mine").manifest.origin == "somebody else"
    graphs = ("mapping.onnx", "synthesis.onnx")
    assert sorted(hashed) == sorted(f"{name}/{graph}" for name in ("mine", "second") for graph in graphs)


def test_a_changed_graph_is_refused_and_a_mended_one_is_back(
    tiny_model: Path, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph = put(tiny_model, store, "mine") / "synthesis.onnx"
    put(tiny_model, store, "second")
    shelf = live(store)
    content = graph.read_bytes()
    with caplog.at_level(logging.WARNING):
        graph.write_bytes(content + b"\0")
        assert names(shelf.look()) == ["second"], "one broken folder stops no other"
        shelf.look()
    assert [record.message for record in caplog.records if "wrong hash" in record.message] == [
        shelf.now.refusals[0].reason
    ], "it is told once"
    graph.write_bytes(content)
    assert sorted(names(shelf.look())) == ["mine", "second"]


def test_a_copy_in_progress_is_found_when_it_is_whole(tiny_model: Path, store: Path) -> None:
    shelf = live(store)
    folder = store / "tiny"
    folder.mkdir()
    shutil.copy(tiny_model / MANIFEST_FILE, folder)
    assert "mapping.onnx is missing" in shelf.look().refusals[0].reason
    for path in tiny_model.iterdir():
        shutil.copy(path, folder)
    assert names(shelf.look()) == ["tiny"]
    assert shelf.now.refusals == ()


def test_a_second_name_for_a_model_is_left_out_and_told_once(
    tiny_model: Path, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = put(tiny_model, store, "mine", same_graphs=True)
    shelf = live(store)
    with caplog.at_level(logging.INFO):
        put(tiny_model, store, "second", same_graphs=True)
        assert names(shelf.look()) == ["mine"]
        put(tiny_model, store, "third")
        assert names(shelf.look()) == ["mine", "third"]
    assert shelf.now.with_digest(shelf.now.named("mine").manifest.digest).manifest.name == "mine"
    told = [record.message for record in caplog.records if "second" in record.message]
    assert told == [refusal.reason for refusal in shelf.now.refusals]
    assert "second is left out. The model 'second' has the very graphs of 'mine'" in told[0]
    shutil.rmtree(folder)
    assert names(shelf.look()) == ["second", "third"], "it is the only one now"


def test_it_is_followed_in_the_background(tiny_model: Path, store: Path) -> None:
    with live(store).followed(every_s=0.02) as shelf:
        put(tiny_model, store, "mine")
        deadline = time.monotonic() + 20
        while names(shelf.now) != ["mine"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
