"""Snapshots: the averaged generator as float32 safetensors, its constructor's arguments beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.networks.stylegan2 import Generator
from training.atomic import tensors_written_whole, written_whole
from training.errors import RunRefused

SNAPSHOT_FOLDER = "snapshots"
FACES, TRANSLATION, BACKWARD = "faces", "translation", "backward"
NEWEST = (FACES, TRANSLATION)
"""What the snapshots of a run are called that is opened by its folder; a run has one of the two."""


@dataclass(frozen=True)
class Snapshot:
    """One saved generator: `path` (.safetensors) and `path` with .json for its description."""

    path: Path
    family: str
    images_seen: int
    generator_kwargs: dict[str, Any]
    measured: dict[str, float] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()

    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.path)

    def generator(self) -> Generator:
        """The generator of faces, in evaluation mode, on the CPU. Raises RunRefused where it is of another family."""
        if self.family != "stylegan2":
            raise RunRefused(f"{self.path} is a {self.family} network, not a generator of faces")
        generator = Generator(**self.generator_kwargs)
        generator.load_state_dict(self.tensors())
        return generator.eval().requires_grad_(False)


def save_snapshot(
    run: Path,
    average: nn.Module,
    images_seen: int,
    kwargs: dict[str, Any],
    *,
    family: str = "stylegan2",
    called: str = FACES,
    measured: Mapping[str, float] | None = None,
    class_names: Sequence[str] = (),
) -> Path:
    """Write snapshots/faces-XXXXXXXXX.safetensors and .json (what it is called, nine digits of images seen)."""
    path = run / SNAPSHOT_FOLDER / f"{called}-{images_seen:09d}.safetensors"
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in average.state_dict().items()}
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    description: dict[str, Any] = {"family": family, "images_seen": images_seen, "generator_kwargs": kwargs}
    if measured:
        description["measured"] = dict(measured)
    if class_names:
        description["class_names"] = list(class_names)
    # The weights last: a snapshot without its description is never seen.
    with written_whole(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(description, indent=2) + "\n")
    with tensors_written_whole(path) as temporary:
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
    return Snapshot(
        source,
        description["family"],
        description["images_seen"],
        description["generator_kwargs"],
        description.get("measured", {}),
        tuple(description.get("class_names", ())),
    )


def list_snapshots(run: Path, *called: str) -> list[Path]:
    """The run's snapshots, oldest first: those of these names, else the generators that a run is opened by."""
    names = called or NEWEST
    return sorted(path for name in names for path in (run / SNAPSHOT_FOLDER).glob(f"{name}-*.safetensors"))


def best_snapshot(run: Path, called: str = FACES, by: str = "swd") -> Path | None:
    """The snapshot of the smallest measured figure, the newest of equals; None where none was measured."""
    found = [(path, open_snapshot(path).measured.get(by)) for path in reversed(list_snapshots(run, called))]
    measured = [(figure, path) for path, figure in found if figure is not None]
    return min(measured, key=lambda pair: pair[0])[1] if measured else None


def thin_snapshots(run: Path, every_images: int, keep: int, called: str = FACES) -> None:
    """Delete all but the newest `keep`, the best measured, and those at `every_images` times a power of two."""
    best = best_snapshot(run, called)
    for path in list_snapshots(run, called)[:-keep]:
        intervals = int(path.stem.removeprefix(f"{called}-")) // every_images
        if intervals & (intervals - 1) and path != best:
            path.unlink()
            path.with_suffix(".json").unlink(missing_ok=True)
