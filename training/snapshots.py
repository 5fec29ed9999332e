"""Snapshots: the averaged generator as float32 safetensors, its constructor's arguments beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from models.networks.stylegan2 import Generator
from training.atomic import written_whole

SNAPSHOT_FOLDER = "snapshots"
PREFIX = "faces-"


@dataclass(frozen=True)
class Snapshot:
    """One saved generator: `path` (.safetensors) and `path` with .json for its description."""

    path: Path
    images_seen: int
    generator_kwargs: dict[str, Any]

    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.path)

    def generator(self) -> Generator:
        """The network, in evaluation mode, on the CPU."""
        generator = Generator(**self.generator_kwargs)
        generator.load_state_dict(self.tensors())
        return generator.eval().requires_grad_(False)


def save_snapshot(run: Path, average: Generator, images_seen: int, kwargs: dict[str, Any]) -> Path:
    """Write snapshots/faces-XXXXXXXXX.safetensors and .json (nine digits of images seen)."""
    path = run / SNAPSHOT_FOLDER / f"{PREFIX}{images_seen:09d}.safetensors"
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in average.state_dict().items()}
    description = {"family": "stylegan2", "images_seen": images_seen, "generator_kwargs": kwargs}
    # The weights last: a snapshot without its description is never seen.
    with written_whole(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(description, indent=2) + "\n")
    with written_whole(path) as temporary:
        save_file(tensors, temporary)
    return path


def open_snapshot(source: Path) -> Snapshot:
    """The snapshot at `source`: a .safetensors file, or a run's folder (its newest).

    Raises FileNotFoundError where there is none.
    """
    if source.is_dir():
        found = list_snapshots(source)
        if not found:
            raise FileNotFoundError(f"{source} holds no snapshot yet")
        source = found[-1]
    description = json.loads(source.with_suffix(".json").read_text())
    return Snapshot(source, description["images_seen"], description["generator_kwargs"])


def list_snapshots(run: Path) -> list[Path]:
    """The run's snapshots, oldest first."""
    return sorted((run / SNAPSHOT_FOLDER).glob(f"{PREFIX}*.safetensors"))


def thin_snapshots(run: Path, every_images: int, keep: int) -> None:
    """Delete all but the newest `keep` and those at `every_images` times a power of two."""
    for path in list_snapshots(run)[:-keep]:
        intervals = int(path.stem.removeprefix(PREFIX)) // every_images
        if intervals & (intervals - 1):
            path.unlink()
            path.with_suffix(".json").unlink(missing_ok=True)
