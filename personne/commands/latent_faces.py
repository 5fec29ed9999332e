"""Latents of seeds, pictures of latents, and what the estimators say of pictures."""
# N latents, L style layer, D latent width, R side of the picture, K scores

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.catalogue import ModelEntry
from models.engines.engine import Array, Float32
from models.engines.onnx_engine import OnnxEngine
from models.estimates import BUNDLED_ESTIMATORS, ESTIMATES, GRAPH_FILE, SIDE
from models.latents import seed_to_z
from models.transforms import make_transform
from personne.commands.sample import opened_generator
from worker.loaded_model import LoadedGenerator

Told = Callable[[int], None]
"""Called with how many more pictures there are."""


class LatentFaces:
    """A generator by its latents: z, ws and pictures."""

    def __init__(self, model: LoadedGenerator, batch: int) -> None:
        self._model = model
        self._batch = batch
        self.manifest = model.manifest

    def z_of(self, seeds: range) -> Float32:
        """[N, Z]"""
        return np.concatenate([seed_to_z(seed, self.manifest.z_dim) for seed in seeds])

    def ws_of(self, z: Float32, psi: float = 1.0) -> Float32:
        """[N, Z] -> [N, L, D]. Of a model with labels each latent gets the class of its place."""
        manifest = self.manifest
        parts = []
        for start in range(0, len(z), self._batch):
            part = z[start : start + self._batch]
            inputs: dict[str, Array] = {"z": part, "psi": np.full([len(part), manifest.num_ws], psi, np.float32)}
            if manifest.c_dim:
                labels = np.arange(start, start + len(part)) % manifest.c_dim
                inputs["c"] = np.eye(manifest.c_dim, dtype=np.float32)[labels]
            parts.append(self._model.mapping.run(inputs)["ws"])
        return np.concatenate(parts)

    def pictures(self, ws: Float32, tell: Told = lambda _: None) -> Iterator[NDArray[np.uint8]]:
        """[N, L, D] -> N pictures [R, R, 3], as the service draws them."""
        for start in range(0, len(ws), self._batch):
            part = ws[start : start + self._batch]
            inputs: dict[str, Array] = {"ws": part, "noise_strength": np.ones(len(part), np.float32)}
            if self.manifest.takes_transform:
                still = make_transform(0.0, 0.0, 0.0).astype(np.float32)
                inputs["transform"] = np.repeat(still[None], len(part), axis=0)
            yield from self._model.synthesis.run(inputs)["picture"]
            tell(len(part))


@contextmanager
def opened_faces(entry: ModelEntry, device: str) -> Iterator[LatentFaces]:
    """The model while this lasts. Raises what opening a model raises."""
    with opened_generator(entry, device) as (model, batch):
        yield LatentFaces(model, batch)


class Estimators:
    """The shipped estimators, or others of the same columns."""

    def __init__(self, folder: Path = BUNDLED_ESTIMATORS) -> None:
        self._engine = OnnxEngine(folder / GRAPH_FILE, device="cpu")

    names = tuple(one.name for one in ESTIMATES)

    def scores(self, pictures: list[NDArray[np.uint8]]) -> Float32:
        """N pictures of any side -> [N, K]"""
        small = np.stack([_small(picture) for picture in pictures])
        parts = [small[start : start + 8] for start in range(0, len(small), 8)]
        return np.concatenate([self._engine.run({"picture": part})["scores"] for part in parts])

    def close(self) -> None:
        self._engine.close()


@contextmanager
def opened_estimators(folder: Path = BUNDLED_ESTIMATORS) -> Iterator[Estimators]:
    """The estimators while this lasts."""
    estimators = Estimators(folder)
    try:
        yield estimators
    finally:
        estimators.close()


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if picture.shape[:2] == (SIDE, SIDE):
        return picture
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
