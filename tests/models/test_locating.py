"""Faces in photos, by the bundled locator: real photographs, and what its arithmetic promises."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.alignment import FaceSquare, paste
from models.catalogue import find_models
from models.engines.opening import open_engine
from models.errors import ModelRefused
from models.export.finding_graphs import LandmarkGraph, LocatorGraph, write_landmarks, write_locator
from models.locating import SURE_OF_BOTH, Face, Locator
from models.locator_files import LOCATOR_FILE, LOCATOR_FOLDER, open_locator, read_locator
from models.networks.landmarks import SIDE, LandmarkNetwork
from models.networks.locator import LocatorNetwork

DATA = Path(__file__).parents[3] / "shared" / "data"
FACES = DATA / "faces"
needs_photos = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
needs_locator = pytest.mark.skipif(not LOCATOR_FOLDER.is_dir(), reason="the locator is not bundled")
UPRIGHT = np.array([[48.0, 60.0], [80.0, 60.0], [64.0, 78.0], [50.0, 94.0], [78.0, 94.0]])


@pytest.fixture(scope="module")
def locator() -> Iterator[Locator]:
    opened = open_locator(1)
    yield opened
    opened.close()


def people_of_the_test_split() -> list[tuple[str, np.ndarray]]:
    """Test people's files, and landmarks in their 128 pixels."""
    with (FACES / "index.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test" and row["has_256"] == "1"]
    points = [np.array([float(n) for n in row["landmarks"].split()]).reshape(5, 2) for row in rows]
    return [(row["file"], one) for row, one in zip(rows, points, strict=True)]


def test_a_box_holds_its_face() -> None:
    face = Face(UPRIGHT, 0.9)
    left, top, width, height = face.box
    assert left < 48 < left + width
    assert top < 45
    assert top + height > 100
    assert face.size == height


def test_the_graph_tells_places_of_the_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LocatorNetwork(8, 2)
    write_locator(network, tmp_path / "locator.onnx")
    picture = np.random.default_rng(0).integers(0, 256, (2, 48, 72, 3), dtype=np.uint8)
    engine = open_engine(tmp_path / "locator.onnx", "cpu", 1)
    found = engine.run({"picture": picture})["faces"]
    engine.close()
    with torch.no_grad():
        expected = LocatorGraph(network)(torch.from_numpy(picture)).numpy()
    assert found.shape == (2, 6, 9, 11)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert (found[..., 0] > 0).all()
    assert (found[..., 0] < 1).all()
    # An untrained network's offsets are small: each square's landmarks lie near its own middle.
    middle = found[0, 2, 4, 1:].reshape(5, 2).mean(0)
    assert np.abs(middle - (4.5 * 8, 2.5 * 8)).max() < 16


def test_the_second_graph_tells_places_of_its_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LandmarkNetwork(8, 8)
    write_landmarks(network, tmp_path / "landmarks.onnx")
    pictures = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    engine = open_engine(tmp_path / "landmarks.onnx", "cpu", 1)
    found = engine.run({"picture": pictures})["face"]
    engine.close()
    with torch.no_grad():
        expected = LandmarkGraph(network)(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert ((found[:, 0] > 0) & (found[:, 0] < 1)).all()
    # An untrained network's landmarks lie near the middle.
    assert np.abs(found[:, 1:] - SIDE / 2).max() < SIDE


@pytest.mark.parametrize("sureness", [6.0, -6.0])
def test_a_second_network_decides_what_is_a_face(tmp_path: Path, sureness: float) -> None:
    """Two networks that say the same of any picture: the first that there is a face everywhere, the second its own."""
    shares = (UPRIGHT - UPRIGHT.mean(0)).flatten()
    first, second = LocatorNetwork(8, 2), LandmarkNetwork(8, 8)
    with torch.no_grad():
        for head, logit, unit in ((first.head, 4.0, 32.0), (second.head, sureness, 48.0)):
            head.weight.zero_()
            head.bias.copy_(torch.tensor([logit, *(shares / unit)]))
    write_locator(first, tmp_path / "first.onnx")
    write_landmarks(second, tmp_path / "second.onnx")
    engines = [open_engine(tmp_path / name, "cpu", 1) for name in ("first.onnx", "second.onnx")]
    locator = Locator(*engines)
    faces = locator.find(np.full((64, 64, 3), 90, np.uint8))
    locator.close()
    assert bool(faces) == (sureness > 0)
    for face in faces:
        assert SURE_OF_BOTH < face.score <= 1
        assert np.abs(face.landmarks[0] - face.landmarks[1])[1] < 1, "upright"
        assert face.landmarks[0, 0] < face.landmarks[1, 0], "whatever the mirror does"


@needs_locator
def test_it_is_small_says_where_it_comes_from_and_is_in_no_catalogue(tmp_path: Path) -> None:
    description = read_locator()
    assert sum(graph.bytes for graph in (description.graph, description.landmarks) if graph) < 1_000_000
    assert description.training_data
    assert description.metrics["portraits_found"] > 0.95
    assert "locator" not in {entry.manifest.name for entry in find_models(None)}
    assert not find_models(None).refusals
    for name in (LOCATOR_FILE, description.graph.file):
        (tmp_path / name).write_bytes((LOCATOR_FOLDER / name).read_bytes())
    with (tmp_path / description.graph.file).open("ab") as file:
        file.write(b"!")
    with pytest.raises(ModelRefused, match="wrong hash"):
        open_locator(1, tmp_path)


@needs_locator
@pytest.mark.parametrize("size", [(8, 8), (1, 300), (33, 47), (500, 20)])
def test_where_there_is_nobody_nobody_is_found(locator: Locator, size: tuple[int, int]) -> None:
    assert locator.find(np.full((*size, 3), 128, np.uint8)) == []


@needs_locator
@needs_photos
def test_portraits_as_they_were_published(locator: Locator) -> None:
    paths = sorted((FACES / "raw").glob("*.jpg"))[::10]
    for path in paths:
        faces = locator.find(np.asarray(Image.open(path).convert("RGB")))
        assert len(faces) >= 1, path.name
        left, top, width, height = faces[0].box
        assert left > 0, path.name
        assert left + width < 225, path.name
        assert 60 < height < 220, path.name
        assert top < 140, path.name


@needs_locator
@needs_photos
@pytest.mark.parametrize("degrees", [-25, 0, 25])
def test_a_test_persons_landmarks_are_found_anywhere_at_any_size(locator: Locator, degrees: float) -> None:
    """Composed onto a photograph at several sizes and turned, so that their landmarks are known."""
    background = np.asarray(Image.open(DATA / "photos" / "400" / "001.jpg").convert("RGB"))
    height, width = background.shape[:2]
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    errors = []
    for number, (name, points) in enumerate(people_of_the_test_split()[:12]):
        half = (55, 90, 150)[number % 3]
        square = FaceSquare(width * 0.45, height * 0.5, half * cos, half * sin)
        photo = paste(background, square, np.asarray(Image.open(FACES / "256" / name).convert("RGB")), 0.1)
        wanted = square.to_photo(points / 128)
        eyes = np.linalg.norm(wanted[1] - wanted[0])
        off = [np.linalg.norm(face.landmarks - wanted, axis=1).mean() / eyes for face in locator.find(photo)]
        errors.append(min(off, default=np.inf))
    # The mean of both networks' landmarks, of one look each, was 0.047 off.
    assert np.median(errors) < 0.043, errors
    assert sum(error < 0.3 for error in errors) >= 11, errors


@needs_locator
@needs_photos
def test_a_face_whose_size_lies_between_two_halves_is_found(locator: Locator) -> None:
    """Plain, bright, laughing at the camera: in halves of the photo, it never had a size that the network knows."""
    faces = locator.find(np.asarray(Image.open(DATA / "everyday" / "32.jpg").convert("RGB")))
    off = [np.linalg.norm(face.landmarks[:3].mean(0) - (646, 434)) / 62 for face in faces]
    assert min(off, default=np.inf) < 0.3
