"""A data set of little blots and a run that takes a second."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.config import TrainingConfig
from training.faces import train

TRAIN, TEST = 20, 4


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Sums over another number of threads round differently, and such small ones are slower on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with single_threaded():
        yield


@pytest.fixture(scope="session")
def blots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 pictures with an index.csv beside it, in which four are of the test split: those are red."""
    folder = tmp_path_factory.mktemp("data") / "pictures"
    folder.mkdir()
    random = np.random.RandomState(0)
    rows = [{"file": f"{i:02d}.png", "split": "test" if i % 6 == 5 else "train"} for i in range(TRAIN + TEST)]
    for row in rows:
        coarse = random.randint(0, 255, (4, 4, 3)).astype(np.uint8)
        coarse[..., 0] = 255 if row["split"] == "test" else coarse[..., 0] // 2
        Image.fromarray(coarse).resize((24, 24)).save(folder / row["file"])
    with (folder.parent / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "split"])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def tiny(blots: Path, tmp_path: Path) -> TrainingConfig:
    """16x16, some thousand parameters, ten steps."""
    return tiny_config(blots, tmp_path / "run")


@pytest.fixture(scope="session")
def trained_run(blots: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingConfig:
    """A finished run of that kind. Not to be changed."""
    config = tiny_config(blots, tmp_path_factory.mktemp("trained") / "run")
    # A fixture of the session comes before those of a test.
    with single_threaded():
        train(config)
    return config


def tiny_config(data: Path, out: Path) -> TrainingConfig:
    return TrainingConfig(
        data=data,
        out=out,
        resolution=16,
        total_images=40,
        batch=4,
        device="cpu",
        z_dim=16,
        w_dim=16,
        channel_base=128,
        channel_max=16,
        r1_interval_steps=4,
        ema_half_life_images=20,
        log_every_images=4,
        state_every_images=8,
        samples_every_images=20,
        snapshot_every_images=20,
        grid_rows=2,
        measured_pictures=16,
        grid_columns=3,
    )
