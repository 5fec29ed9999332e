"""directions.npz: written, told, read again; damaged ones are refused and stop no model; published boundaries."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.catalogue import ModelEntry, open_model
from models.direction_files import DIRECTIONS_FILE, read_boundary, read_directions, save_directions, to_bytes
from models.directions import Direction, DirectionsRefused
from models.live_catalogue import LiveCatalogue
from tests.some_directions import model_with_directions, some_directions, vector


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return model_with_directions(tiny_model, tmp_path)


def opened(folder: Path) -> ModelEntry:
    return open_model(folder, "store")


def test_what_is_saved_is_read(folder: Path) -> None:
    entry = opened(folder)
    assert entry.directions_refused == ""
    assert list(entry.directions) == ["smile", "age", "hue", "pose"]
    for before in some_directions():
        after = entry.directions[before.name]
        np.testing.assert_array_equal(after.vector, before.vector)
        told = ("space", "unit", "low", "high", "layers", "method", "accuracy", "meaning")
        assert [getattr(after, name) for name in told] == [getattr(before, name) for name in told]


def test_the_manifest_tells_of_them_and_the_digest_stays(folder: Path, tiny_model: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["directions"]["names"] == ["smile", "age", "hue", "pose"]
    assert manifest["directions"]["sha256"].startswith(opened(folder).directions.digest)
    assert opened(folder).manifest.digest == opened(tiny_model).manifest.digest


def test_the_same_directions_are_the_same_bytes() -> None:
    assert to_bytes(some_directions()) == to_bytes(some_directions())
    assert to_bytes(some_directions()) != to_bytes(some_directions()[:2])


def test_a_changed_file_is_refused_and_the_model_stays(folder: Path) -> None:
    (folder / DIRECTIONS_FILE).write_bytes(to_bytes(some_directions()[:1]))
    entry = opened(folder)
    assert list(entry.directions) == []
    assert "has the wrong hash; run `personne directions` again" in entry.directions_refused
    (folder / DIRECTIONS_FILE).unlink()
    assert "are missing" in opened(folder).directions_refused


def members(content: bytes, **changed: bytes | None) -> bytes:
    """The same archive with some members replaced or gone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            body = changed.get(name.removesuffix(".npy"), old.read(name))
            if body is not None:
                new.writestr(name, body)
    return buffer.getvalue()


def array(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


GOOD = to_bytes(some_directions())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be used"),
        (b"no zip", "cannot be used"),
        (GOOD[: len(GOOD) // 2], "cannot be used"),
        (members(GOOD, facts=None), "facts"),
        (members(GOOD, smile=None), "facts and vectors do not belong together"),
        (members(GOOD, facts=array(np.frombuffer(b"[]", np.uint8))), "do not belong together"),
        (members(GOOD, facts=array(np.frombuffer(b"{", np.uint8))), "JSON"),
        (members(GOOD, smile=array(np.array([object()]))), "allow_pickle"),
        (members(GOOD, smile=array(np.zeros([1, 32]))), "smile: the direction is empty"),
        (members(GOOD, smile=array(np.ones([1, 16]))), r"this one has \(1, 16\)"),
        (members(GOOD, smile=array(np.ones([1, 32], np.int64))), "no floating point"),
        (members(GOOD, smile=array(np.zeros([600, 32, 1024], np.float32))), "unfold to more than"),
    ],
)
def test_damaged_files_are_refused_with_a_sentence(
    tiny_model: Path, tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / DIRECTIONS_FILE).write_bytes(content)
    with pytest.raises(DirectionsRefused, match=sentence) as refused:
        read_directions(tmp_path / DIRECTIONS_FILE, opened(tiny_model).generator)
    assert str(tmp_path / DIRECTIONS_FILE) in str(refused.value)


def test_a_running_service_finds_them(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny")
    shelf = LiveCatalogue(tmp_path, bundled=tmp_path / "nothing")
    assert list(shelf.now.named("tiny").directions) == []
    save_directions(tmp_path / "tiny", some_directions()[:1])
    assert list(shelf.look().named("tiny").directions) == ["smile"]
    before = shelf.now.named("tiny").directions.digest
    save_directions(tmp_path / "tiny", some_directions()[:2])
    assert list(shelf.look().named("tiny").directions) == ["smile", "age"]
    assert shelf.now.named("tiny").directions.digest != before


def test_directions_of_another_model_are_not_saved(folder: Path) -> None:
    before = opened(folder).directions.digest
    with pytest.raises(DirectionsRefused, match="this one has"):
        save_directions(folder, [Direction("smile", "w", vector(1, width=64))])
    assert opened(folder).directions.digest == before


@pytest.mark.parametrize("shape", [(1, 512), (18, 512), (512,)])
def test_published_boundaries(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    np.save(tmp_path / "age_w_boundary.npy", values)
    found = read_boundary(tmp_path / "age_w_boundary.npy", "age", "w")
    rows = np.atleast_2d(values)
    np.testing.assert_allclose(found.vector, rows / np.linalg.norm(rows, axis=1).max(), atol=1e-6)
    assert (found.method, found.unit) == ("boundary", 1.0)


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", array(np.ones([1, 512], np.int64)), array(np.array([object()])), array(np.ones((2, 2, 2)))],
)
def test_what_is_no_boundary(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "age.npy").write_bytes(content)
    with pytest.raises(DirectionsRefused, match=r"age\.npy"):
        read_boundary(tmp_path / "age.npy", "age", "w")
