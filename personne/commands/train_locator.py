"""personne train locator: from options to a config to the recipe's loop."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.export.finding_graphs import write_landmarks, write_locator
from models.locator_files import LOCATOR_FILE, LocatorDescription
from models.manifest import GraphSpec
from models.networks.landmarks import LandmarkNetwork
from models.networks.locator import LocatorNetwork
from personne.commands import run_options
from personne.commands.run_options import changed, preset_of
from training.cost import pictures_line
from training.finding_presets import LOCATOR_PRESETS
from training.locator import train
from training.locator.run import CLOSE, LOCATOR, RECIPE
from training.snapshots import list_snapshots, open_snapshot

_log = logging.getLogger(__name__)


def train_locator(
    *,
    data: Path,
    backgrounds: Path,
    out: Path,
    preset: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    changes: Sequence[str] = (),
    dry_run: bool = False,
) -> list[str]:
    """Train a face locator in the run `out`, or go on with it; it ends with a folder like the bundled one.

    The rest is as in `train_recipe`; returns what there is to say. Raises ValueError for an option out of bounds,
    TrainingError for what training refuses, ModelRefused where the graph disagrees with the network.
    """
    chosen, make = preset_of(LOCATOR_PRESETS, preset)
    config = changed(make(data, backgrounds, out), options, changes)
    if dry_run:
        pools = [("scenes", config.side), ("close-ups", config.close_up.side)]
        return run_options.dry_run(
            chosen, config, RECIPE.fresh, [pictures_line(what, config.pool, side) for what, side in pools]
        )
    _log.info("preset %s, %d scenes of %dx%d, into %s", chosen, config.total_images, config.side, config.side, out)
    train(config)
    return [f"The locator is in {write_locator_folder(out)}."]


def write_locator_folder(run: Path) -> Path:
    """`run`/locator of the newest snapshots: two graphs and locator.json. Raises FileNotFoundError, ModelRefused."""
    folder = run / "locator"
    folder.mkdir(exist_ok=True)
    first, images_seen = _newest(run, LOCATOR, LocatorNetwork)
    second, _ = _newest(run, CLOSE, LandmarkNetwork)
    write_locator(first, folder / "locator.onnx")
    write_landmarks(second, folder / "landmarks.onnx")
    description = LocatorDescription(
        graph=_described(folder / "locator.onnx"),
        landmarks=_described(folder / "landmarks.onnx"),
        licence="not stated",
        origin=f"trained with `personne train locator` on {images_seen} scenes",
    )
    (folder / LOCATOR_FILE).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return folder


def _newest(run: Path, called: str, family: Any) -> tuple[Any, int]:
    found = list_snapshots(run, called)
    if not found:
        raise FileNotFoundError(f"{run} holds no snapshot of a locator yet")
    snapshot = open_snapshot(found[-1])
    network = family(**snapshot.generator_kwargs)
    network.load_state_dict(snapshot.tensors())
    return network, snapshot.images_seen


def _described(graph: Path) -> GraphSpec:
    content = graph.read_bytes()
    return GraphSpec(file=graph.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
