"""Directions for tests: unit vectors that a picture shows, in the file of a model."""

import shutil
from pathlib import Path

import numpy as np

from models.catalogue import Catalogue, ModelEntry, find_models
from models.direction_files import save_directions
from models.directions import Direction, unit_direction


def vector(seed: int, width: int = 32, rows: int = 1) -> np.ndarray:
    """A random direction [rows, width]."""
    return unit_direction(np.random.default_rng(seed).normal(size=[rows, width]))


def some_directions() -> list[Direction]:
    """Of the model `tiny`: two in w that share something, one by layer, one in z."""
    smile = vector(1)
    return [
        Direction("smile", "w", smile, unit=0.5, low=-2, high=3, method="interfacegan", meaning="from glum to glad"),
        Direction("age", "w", unit_direction(vector(2) + smile), accuracy=0.9, layers=(0, 4)),
        Direction("hue", "w", vector(3, rows=8), method="sefa"),
        Direction("pose", "z", vector(4), unit=2.0),
    ]


def model_with_directions(tiny_model: Path, store: Path) -> Path:
    """The folder of a copy of `tiny` in that store, with directions."""
    shutil.copytree(tiny_model, store / "tiny")
    save_directions(store / "tiny", some_directions())
    return store / "tiny"


def catalogue_of_one(store: Path, nothing: Path) -> tuple[Catalogue, ModelEntry]:
    """What is in a store, and its model `tiny`. nothing: an empty folder."""
    here = find_models(store, bundled=nothing)
    return here, here.named("tiny")
