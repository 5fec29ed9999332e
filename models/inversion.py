"""From a face to the ws that draw it: an encoder's guess, a descent, or the one after the other.

A descent needs the gradient of a loss. The worker's runtimes have none, so it is a graph of its own, drawn when the
model is made (models/export/gradient_graph.py): ws and a picture in, loss and gradient out.
"""
# N batch, L style layer, D width of w, R side of the picture

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.abilities import STEPS, Method, Space, needed_inverters
from models.engines.engine import Array, Engine, Float32
from models.errors import ModelCannot
from models.latents import seed_to_z
from models.manifest import GeneratorManifest
from models.minimum import Float64, minimum

SPREAD_SEEDS = 512
"""Latents by which the spread of w is known, always the same."""
SMALLEST_SPREAD = 1e-3
FIRST = 0.3
"""The first step of a descent, in standard deviations of w."""
PULL = 0.002
"""How strongly ws are held to where they began, per squared standard deviation: what a face owes to it is bought with
latents that no longer take edits."""
Step = Callable[[float], None]


class HasEngines(Protocol):
    """A generator in memory."""

    @property
    def manifest(self) -> GeneratorManifest: ...
    @property
    def mapping(self) -> Engine: ...
    @property
    def synthesis(self) -> Engine: ...


@dataclass(frozen=True)
class Found:
    """ws: [L, D] float32. picture: what they draw, [R, R, 3]. error: of that picture, the root of the mean squared
    difference in levels of 255."""

    ws: Float32
    picture: Array
    error: float


class Inverter:
    """One generator's ways back. encoder: picture [N, R, R, 3] -> ws; gradient: ws [1, L, D], picture [1, R, R, 3] ->
    loss [1], gradient [1, L, D]. None: the model has none."""

    def __init__(self, generator: HasEngines, encoder: Engine | None, gradient: Engine | None) -> None:
        self._generator = generator
        self._encoder, self._gradient = encoder, gradient
        self._mean_D = np.array(generator.manifest.w_avg, np.float32)
        self._spread_D = _spread(generator)

    def find(
        self, face: Array, method: Method, space: Space = Space.W_PLUS, *, steps: int | None = None, step: Step
    ) -> Found:
        """The latent of a face [R, R, 3] uint8. step: called with the share that is done, before each part of the work.

        Raises ModelCannot where the model lacks what the method needs.
        """
        self.check(method)
        step(0.0)
        ws_LD = self._start(face, method)
        count = STEPS[method] if steps is None else steps
        if method is not Method.ENCODER and count:
            ws_LD = self._descend(face, ws_LD, space, count, step)
        picture = self.draw(ws_LD)
        return Found(ws_LD, picture, picture_error(picture, face))

    def check(self, method: Method) -> None:
        """Raises ModelCannot where the model lacks what the method needs."""
        here = {"encoder": self._encoder, "gradient": self._gradient}
        if missing := [name for name in needed_inverters(method) if here[name] is None]:
            name = self._generator.manifest.name
            raise ModelCannot(name, f"method={method}", f"has no {missing[0]} graph", [])

    def draw(self, ws_LD: Float32) -> Array:
        """The picture [R, R, 3] of ws."""
        inputs: dict[str, Array] = {"ws": ws_LD[None], "noise_strength": np.ones(1, np.float32)}
        if self._generator.manifest.takes_transform:
            inputs["transform"] = np.eye(3, dtype=np.float32)[None]
        picture: Array = self._generator.synthesis.run(inputs)["picture"][0]
        return picture

    def close(self) -> None:
        """Of its own engines; the generator is its owner's."""
        for engine in (self._encoder, self._gradient):
            if engine is not None:
                engine.close()

    def _start(self, face: Array, method: Method) -> Float32:
        if method is Method.DESCENT or self._encoder is None:
            return np.tile(self._mean_D, (self._generator.manifest.num_ws, 1))
        ws_LD: Float32 = self._encoder.run({"picture": face[None]})["ws"][0]
        return ws_LD

    def _descend(self, face: Array, start_LD: Float32, space: Space, count: int, step: Step) -> Float32:
        """By `minimum`, in standard deviations of w, from `start_LD`; the best ws on the way."""
        gradient = self._gradient
        assert gradient is not None
        done = itertools.count()

        def loss_at(away: Float64) -> tuple[float, Float64]:
            step(next(done) / count)
            found = gradient.run({"ws": self._away(start_LD, away)[None], "picture": face[None]})
            loss = float(found["loss"].item()) + PULL * float(np.square(away).mean())
            by_ws_LD = found["gradient"][0].astype(np.float64) * self._spread_D
            by_away = by_ws_LD.sum(0, keepdims=True) if space is Space.W else by_ws_LD
            return loss, by_away + 2 * PULL * away / away.size

        layers, width = start_LD.shape
        begin = np.zeros((1 if space is Space.W else layers, width))
        return self._away(start_LD, minimum(loss_at, begin, count, FIRST))

    def _away(self, start_LD: Float32, away: Float64) -> Float32:
        """ws so many standard deviations away, [L, D], or [1, D] for all layers together."""
        ws_LD: Float32 = (start_LD + self._spread_D * away).astype(np.float32)
        return ws_LD


def picture_error(picture: Array, face: Array) -> float:
    """Root of the mean squared difference, in levels of 255."""
    return float(np.sqrt(np.square(picture.astype(np.float64) - face).mean()))


def _spread(generator: HasEngines) -> Float32:
    """[D]: the standard deviation of w."""
    manifest = generator.manifest
    z_NZ = np.concatenate([seed_to_z(seed, manifest.z_dim) for seed in range(SPREAD_SEEDS)])
    inputs: dict[str, Array] = {"z": z_NZ, "psi": np.ones([SPREAD_SEEDS, manifest.num_ws], np.float32)}
    if manifest.c_dim:
        inputs["c"] = np.eye(manifest.c_dim, dtype=np.float32)[np.arange(SPREAD_SEEDS) % manifest.c_dim]
    ws_NLD = generator.mapping.run(inputs)["ws"]
    spread_D: Float32 = ws_NLD[:, 0].std(0)
    return np.maximum(spread_D, SMALLEST_SPREAD)
