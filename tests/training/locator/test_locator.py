"""The locator's recipe: scenes whose landmarks lie where they say, losses that know them, a run that goes on."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.networks.locator import OUTPUTS, REACH, STRIDE, LocatorNetwork
from training.errors import DatasetError, RunRefused
from training.locator import train
from training.locator.config import LocatorConfig
from training.locator.faces import LabelledFaces, load_faces
from training.locator.heads import turned_heads
from training.locator.losses import locator_losses
from training.locator.pool import ScenePool
from training.locator.scenes import Scenes, compose

LANDMARKS = "48 61 80 61 64 80 50 94 78 94"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of dotted faces, and one of backgrounds."""
    root = tmp_path_factory.mktemp("faces")
    (root / "faces").mkdir()
    (root / "photos").mkdir()
    random = np.random.RandomState(0)
    with (root / "faces" / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "split", "landmarks"])
        writer.writeheader()
        for i in range(6):
            Image.fromarray(random.randint(0, 255, (64, 64, 3)).astype(np.uint8)).save(root / "faces" / f"{i}.png")
            writer.writerow({"file": f"{i}.png", "split": "test" if i == 5 else "train", "landmarks": LANDMARKS})
            Image.fromarray(random.randint(0, 255, (80, 90, 3)).astype(np.uint8)).save(root / "photos" / f"{i}.png")
    return root


def config(data: Path, out: Path, **fields: object) -> LocatorConfig:
    tiny = LocatorConfig(
        data=data / "faces",
        backgrounds=data / "photos",
        out=out,
        total_images=24,
        batch=4,
        device="cpu",
        side=64,
        face_side=64,
        width=8,
        depth=2,
        pool=8,
        log_every_images=8,
        state_every_images=8,
        samples_every_images=24,
        snapshot_every_images=24,
    )
    return dataclasses.replace(tiny, **fields)  # type: ignore[arg-type]


def test_landmarks_are_in_pixels_of_the_resized_picture(data: Path) -> None:
    faces = load_faces(data / "faces", 64, 128)
    assert faces.pictures.shape == (5, 3, 64, 64), "the test split stays out"
    assert faces.landmarks[0, 0].tolist() == [24.0, 30.5]
    assert faces.side == 64


def test_faces_without_landmarks_are_refused(data: Path) -> None:
    with pytest.raises(DatasetError, match="no landmarks"):
        load_faces(data / "photos", 64, 128)


def test_a_composed_face_lies_where_its_landmarks_say(data: Path, tmp_path: Path) -> None:
    """A face that is black but for white eyes: in the scene, white is found at the eyes, and nowhere far from them."""
    pictures = torch.zeros(8, 3, 64, 64, dtype=torch.uint8)
    points = torch.tensor([float(n) / 2 for n in LANDMARKS.split()]).view(5, 2).repeat(8, 1, 1)
    for x, y in points[0, :2].long().tolist():
        pictures[:, :, y - 3 : y + 4, x - 3 : x + 4] = 255
    torch.manual_seed(0)
    faces = LabelledFaces(pictures, points)
    scenes = compose(faces, torch.full((160, 3, 64, 64), -1.0), config(data, tmp_path, faces_per_scene=1))
    seen, asked = 0, 0
    for row in range(160):
        eyes = scenes.landmarks[row, 0, :2]
        if not scenes.found[row, 0] or not ((eyes > 4) & (eyes < 60)).all() or (eyes[0] - eyes[1]).norm() < 10:
            continue
        grey = scenes.pictures[row].mean(0)
        at_eyes = torch.stack([grey[int(y), int(x)] for x, y in eyes.tolist()])
        seen, asked = seen + int((at_eyes > grey.median() + 0.2).all()), asked + 1
    assert asked >= 12
    assert seen >= 0.6 * asked, f"{seen} of {asked}: most are neither covered nor behind glasses"


def test_a_mirrored_scene_has_its_eyes_in_order() -> None:
    torch.manual_seed(0)
    pool = ScenePool(4)
    landmarks = torch.tensor([[10.0, 20], [30, 20], [22, 30], [12, 40], [28, 40]]).view(1, 1, 5, 2)
    picture = torch.zeros(1, 3, 64, 64)
    picture[0, :, 20, 10] = 1
    pool.add(Scenes(picture, landmarks, torch.ones(1, 1), torch.zeros(1, 1)))
    drawn = pool.drawn(16)
    left = drawn.landmarks[:, 0, 0, 0]
    assert set(left.tolist()) == {10.0, 34.0}, "as it was, and mirrored"
    assert (drawn.landmarks[:, 0, 0, 0] < drawn.landmarks[:, 0, 1, 0]).all()
    lit = drawn.pictures[:, 0, 20].argmax(1).tolist()
    assert all(at == (10 if x == 10 else 53) for at, x in zip(lit, left.tolist(), strict=True))


def test_the_pool_forgets_the_oldest() -> None:
    pool = ScenePool(3)
    for level in range(5):
        shade = torch.full((1, 3, 8, 8), level / 10)
        pool.add(Scenes(shade, torch.zeros(1, 1, 5, 2), torch.zeros(1, 1), torch.zeros(1, 1)))
    assert len(pool) == 3
    assert pool.drawn(64).pictures.min() > 0.15


def test_a_network_that_is_right_loses_nothing() -> None:
    """Outputs written by hand for one face: scores sure at its middle alone, landmarks where they are."""
    landmarks = torch.tensor([[20.0, 20], [36, 20], [28, 28], [22, 36], [34, 36]]).view(1, 1, 5, 2)
    scenes = Scenes(torch.zeros(1, 3, 64, 64), landmarks, torch.ones(1, 1), torch.zeros(1, 1))
    found = torch.zeros(1, OUTPUTS, 8, 8)
    found[:, 0] = -12
    found[0, 0, 3, 3] = 12
    places = torch.stack(torch.meshgrid(torch.arange(8), torch.arange(8), indexing="xy"), -1) + 0.5
    offsets = (landmarks[0] - places.view(64, 1, 2) * STRIDE) / REACH
    found[0, 1:] = offsets.view(8, 8, 10).permute(2, 0, 1)
    scores, points = locator_losses(found, scenes)
    assert scores < 1e-2
    assert points < 1e-5
    found[0, 1] += 16 / REACH
    assert locator_losses(found, scenes)[1] == pytest.approx(0.1, abs=0.01), "one number of ten off by an eye distance"


def test_nothing_is_asked_of_a_covered_face() -> None:
    landmarks = torch.tensor([[20.0, 20], [36, 20], [28, 28], [22, 36], [34, 36]]).view(1, 1, 5, 2)
    covered = Scenes(torch.zeros(1, 3, 64, 64), landmarks, torch.zeros(1, 1), torch.ones(1, 1))
    found = torch.full((1, OUTPUTS, 8, 8), -12.0)
    found[0, 0, 3, 3] = 12
    assert locator_losses(found, covered)[0] < 1e-3


def test_a_run_goes_on_and_leaves_what_it_should(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(config(data, out, total_images=12))
    train(config(data, out))
    rows = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == [8, 12, 16, 24]
    assert (out / "snapshots" / "locator-000000024.safetensors").is_file()
    assert (out / "samples" / "000000024.png").is_file()
    with pytest.raises(RunRefused, match="begun with width 8"):
        train(config(data, out, width=16, total_images=48))


def test_the_network_looks_at_any_size() -> None:
    network = LocatorNetwork(8, 2).eval()
    assert network(torch.zeros(2, 3, 40, 64)).shape == (2, OUTPUTS, 5, 8)


def test_options_out_of_bounds_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        config(data, tmp_path, side=60)
    with pytest.raises(ValueError, match="above smallest_eyes"):
        config(data, tmp_path, largest_eyes=5.0)
    with pytest.raises(RunRefused, match="on the CPU"):
        train(config(data, tmp_path, device="meta"))


def test_a_turned_heads_landmarks_turn_with_it() -> None:
    points = torch.tensor([float(n) for n in LANDMARKS.split()]).view(5, 2).repeat(32, 1, 1)
    pictures = torch.full((32, 3, 128, 128), -1.0)
    for x, y in points[0].long().tolist():
        pictures[:, :, y - 2 : y + 3, x - 2 : x + 3] = 1
    torch.manual_seed(0)
    turned, moved = turned_heads(pictures, points)
    moves = (moved - points).norm(dim=2).amax(1)
    assert 0.2 < float((moves < 0.1).float().mean()) < 0.6, "some look straight on"
    assert moves.max() > 12
    lit = torch.stack([turned[row, 0, moved[row, :, 1].long(), moved[row, :, 0].long()] for row in range(32)])
    assert float((lit > 0).float().mean()) > 0.97
