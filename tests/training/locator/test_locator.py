"""The locator's recipe: scenes whose landmarks lie where they say, losses that know them, a run that goes on."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.networks.landmarks import SIDE, LandmarkNetwork
from models.networks.locator import OUTPUTS, REACH, STRIDE, LocatorNetwork
from training.errors import DatasetError, RunRefused
from training.locator import loop, train
from training.locator.config import LocatorConfig
from training.locator.faces import load_faces
from training.locator.losses import close_up_losses, locator_losses
from training.locator.pool import ScenePool
from training.locator.run import begin_from, fresh_state
from training.locator.scenes import Scenes
from training.snapshots import open_snapshot

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
        close_width=8,
        close_features=8,
        pool=6,
        uses=2,
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


def test_a_drawn_scene_has_its_eyes_in_order_where_they_are() -> None:
    """Mirrored, turned, grown and moved: what is white at the left eye is found at one of the two."""
    torch.manual_seed(0)
    pool = ScenePool(4)
    landmarks = torch.tensor([[20.0, 26], [44, 26], [34, 34], [24, 44], [40, 44]]).view(1, 1, 5, 2)
    picture = torch.full((1, 3, 64, 64), -0.5)
    picture[0, :, 24:29, 18:23] = 1
    pool.add(Scenes(picture, landmarks, torch.ones(1, 1), torch.zeros(1, 1)))
    scenes = pool.drawn(32)
    assert (scenes.landmarks[:, 0, 0, 0] < scenes.landmarks[:, 0, 1, 0]).all()
    at_eyes = torch.stack(
        [
            scenes.pictures[row, 0, scenes.landmarks[row, 0, eye, 1].long(), scenes.landmarks[row, 0, eye, 0].long()]
            for row in range(32)
            for eye in (0, 1)
        ]
    ).view(32, 2)
    is_left = at_eyes[:, 0] > at_eyes[:, 1] + 0.5
    is_right = at_eyes[:, 1] > at_eyes[:, 0] + 0.5
    assert (is_left ^ is_right).all()
    assert 8 < int(is_right.sum()) < 24, "half of them in a mirror"


def test_the_pool_forgets_the_oldest_and_is_put_back() -> None:
    pool = ScenePool(3)
    for level in range(5):
        shade = torch.full((1, 3, 8, 8), level / 4)
        pool.add(Scenes(shade, torch.zeros(1, 1, 5, 2), torch.zeros(1, 1), torch.zeros(1, 1)))
    assert len(pool) == 3
    assert pool.drawn(64).pictures.mean() > 0.6
    again = ScenePool(3)
    again.load_state_dict(pool.state_dict())
    random = torch.get_rng_state()
    first = pool.drawn(8).pictures
    torch.set_rng_state(random)
    assert torch.equal(again.drawn(8).pictures, first)


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


def test_a_close_up_that_is_right_loses_nothing() -> None:
    landmarks = torch.tensor([[20.0, 20], [41, 20], [30, 32], [22, 43], [39, 43]]).view(1, 1, 5, 2).repeat(2, 1, 1, 1)
    is_face = torch.tensor([[1.0], [0.0]])
    scenes = Scenes(torch.zeros(2, 3, SIDE, SIDE), landmarks, is_face, torch.zeros(2, 1))
    found = torch.zeros(2, OUTPUTS)
    found[:, 0] = torch.tensor([12.0, -12.0])
    found[0, 1:] = (landmarks[0] / (SIDE / 2) - 1).flatten()
    scores, points = close_up_losses(found, scenes)
    assert scores < 1e-4
    assert points < 1e-6, "where there is no face, landmarks do not count"
    found[0, 1] += 21 / (SIDE / 2)
    assert close_up_losses(found, scenes)[1] == pytest.approx(0.1, abs=0.01), "one number of ten off by the face's size"


def test_a_run_leaves_what_it_should(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(config(data, out, total_images=12))
    train(config(data, out))
    rows = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == [8, 12, 16, 24]
    assert {"scores", "landmarks", "close_scores", "close_landmarks"} <= set(rows[0])
    assert (out / "snapshots" / "locator-000000024.safetensors").is_file()
    assert (out / "snapshots" / "landmarks-000000024.safetensors").is_file()
    assert (out / "samples" / "000000024.png").is_file()
    with pytest.raises(RunRefused, match="begun with width 8"):
        train(config(data, out, width=16, total_images=48))


class Killed(Exception):
    """What ends a run in a test."""


def test_a_run_that_is_killed_ends_as_if_it_never_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed some steps after the state was last saved."""
    train(config(data, tmp_path / "whole"))
    steps, keep_records = 0, loop.keep_records

    def dies_at_the_fifth(*arguments: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise Killed
        keep_records(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(loop, "keep_records", dies_at_the_fifth)
        with pytest.raises(Killed):
            train(config(data, tmp_path / "killed"))
    train(config(data, tmp_path / "killed"))
    for called in ("locator", "landmarks"):
        whole, killed = (
            open_snapshot(tmp_path / run / "snapshots" / f"{called}-000000024.safetensors").tensors()
            for run in ("whole", "killed")
        )
        assert all(torch.equal(tensor, killed[name]) for name, tensor in whole.items()), called


def test_ctrl_c_saves_and_the_run_goes_on(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        # What Ctrl-C sets (tests/training/test_troubles.py presses it).
        patch.setattr(loop, "keep_records", lambda run: setattr(run.interrupt, "asked", True))
        with pytest.raises(KeyboardInterrupt):
            train(config(data, out))
    assert torch.load(out / "state.pt", weights_only=True)["images_seen"] == 4
    train(config(data, out))
    assert (out / "snapshots" / "locator-000000024.safetensors").is_file()


def test_a_run_may_begin_from_another(data: Path, tmp_path: Path) -> None:
    train(config(data, tmp_path / "first", total_images=4))
    begun = fresh_state(config(data, tmp_path / "second"), torch.device("cpu"))
    begin_from(tmp_path / "first", begun)
    first = open_snapshot(tmp_path / "first" / "snapshots" / "locator-000000004.safetensors").tensors()
    assert all(torch.equal(tensor, first[name]) for name, tensor in begun.network.state_dict().items())
    with pytest.raises(RunRefused, match="no snapshot"):
        begin_from(tmp_path, begun)
    with pytest.raises(RunRefused, match="another shape"):
        train(config(data, tmp_path / "third", init_from=tmp_path / "first", width=16))


def test_the_network_looks_at_any_size() -> None:
    network = LocatorNetwork(8, 2).eval()
    assert network(torch.zeros(2, 3, 40, 64)).shape == (2, OUTPUTS, 5, 8)
    assert LandmarkNetwork(8, 8).eval()(torch.zeros(2, 3, SIDE, SIDE)).shape == (2, OUTPUTS)


def test_options_out_of_bounds_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        config(data, tmp_path, side=60)
    with pytest.raises(ValueError, match="above smallest_eyes"):
        config(data, tmp_path, largest_eyes=5.0)
    with pytest.raises(RunRefused, match="on the CPU"):
        train(config(data, tmp_path, device="meta"))
