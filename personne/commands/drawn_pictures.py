"""A generator's pictures for measuring: many, resumable; and ways from one to another through its latent space."""
# N sample, P way, B batch, L style layer, D width of w, R side of the picture

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from jobs.contract import GenerateJob
from models.catalogue import Catalogue, ModelEntry
from models.contact_sheet import Picture
from models.engines.engine import Array
from personne.commands.sample import draw_jobs, opened_generator, pattern_of
from training.atomic import written_whole
from training.metrics.path_length import STEP
from worker.loaded_model import LoadedGenerator
from worker.tasks.generate import GenerateTask

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Drawn:
    """Who draws and how: psi for models that have something to truncate; pictures are scaled to `side`."""

    entry: ModelEntry
    psi: float
    side: int
    device: str

    def pattern(self) -> GenerateJob:
        alone = Catalogue({self.entry.manifest.name: self.entry})
        return pattern_of(self.entry, alone, truncation_psi=None, default_psi=self.psi)


def draw_samples(drawn: Drawn, count: int, *, keep: Path, advance: Advance) -> Tensor:
    """The faces of seeds 0 to count - 1: [N, 3, side, side] uint8.

    They are kept in the folder `keep` as they are drawn; what lies there of the same model and psi is not drawn again.
    """
    pattern, side = drawn.pattern(), drawn.side
    kept, size = keep / ".samples", 3 * side * side
    _check_kept(kept, {"digest": drawn.entry.manifest.digest, "psi": drawn.psi, "side": side})
    with kept.open("ab") as file:
        done = min(file.tell() // size, count)
        file.truncate(done * size)
        advance(done)
        jobs = [replace(pattern, seed=seed) for seed in range(done, count)]
        for picture in draw_jobs(jobs, drawn.entry, device=drawn.device):
            file.write(_fitted(picture, side).tobytes())
            advance(1)
    pictures = np.fromfile(kept, np.uint8, count * size).reshape(count, 3, side, side)
    return torch.from_numpy(pictures)


def draw_ways(drawn: Drawn, count: int, *, first_seed: int, advance: Advance) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A random place of each way between two seeds, a STEP further, and the ends: [P, 3, side, side] uint8 each."""
    places = np.random.RandomState(0).uniform(0, 1 - STEP, count)
    found: list[list[Picture]] = [[], [], [], []]
    with opened_generator(drawn.entry, drawn.device) as (model, _):
        for number, place in enumerate(places):
            way = _way(model, _ends(drawn, first_seed + 2 * number, number), float(place))
            for pictures, picture in zip(found, way, strict=True):
                pictures.append(_fitted(picture, drawn.side))
            advance(1)
    here, on, start, end = (torch.from_numpy(np.stack(pictures)) for pictures in found)
    return here, on, start, end


def forget_samples(keep: Path) -> None:
    """Delete what `draw_samples` kept."""
    for name in (".samples", ".samples.json"):
        (keep / name).unlink(missing_ok=True)


def _way(model: LoadedGenerator, ends: list[GenerateJob], place: float) -> Iterator[Picture]:
    """Four pictures along the straight way in w: at `place`, a STEP further, at 0 and at 1."""
    inputs = GenerateTask().prepare(ends, model)
    moved: dict[str, Array] = {
        name: np.repeat(inputs.pop(name)[:1], 4, axis=0) for name in ("transform",) if name in inputs
    }
    ws_BLD = model.mapping.run(inputs)["ws"]
    share = np.array([place, place + STEP, 0, 1], np.float32)[:, None, None]
    between_BLD = ws_BLD[:1] + share * (ws_BLD[1:2] - ws_BLD[:1])
    strength = np.ones(4, np.float32)
    yield from model.synthesis.run({"ws": between_BLD, "noise_strength": strength, **moved})["picture"]


def _ends(drawn: Drawn, seed: int, number: int) -> list[GenerateJob]:
    # Both of one class: a way between classes would measure how far these are apart.
    c_dim = drawn.entry.generator.c_dim
    pattern = replace(drawn.pattern(), label=number % c_dim if c_dim else None)
    return [replace(pattern, seed=one) for one in (seed, seed + 1)]


def _fitted(picture: Picture, side: int) -> Picture:
    if len(picture) != side:
        picture = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def _check_kept(kept: Path, key: dict[str, object]) -> None:
    """Forget pictures of another model or psi."""
    said = kept.with_name(".samples.json")
    if not said.is_file() or json.loads(said.read_text()) != key:
        kept.unlink(missing_ok=True)
        with written_whole(said) as temporary:
            temporary.write_text(json.dumps(key))
