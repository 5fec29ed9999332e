"""personne train locator: from options to a config to the recipe's loop."""

import dataclasses
import hashlib
import logging
from pathlib import Path
from typing import Any

from models.export.finding_graphs import write_landmarks, write_locator
from models.locator_files import LOCATOR_FILE, LocatorDescription
from models.manifest import GraphSpec
from models.networks.landmarks import LandmarkNetwork
from models.networks.locator import LocatorNetwork
from training.locator import train
from training.locator.config import LocatorConfig
from training.locator.run import CLOSE, LOCATOR
from training.snapshots import list_snapshots, open_snapshot

SCENES = 300_000
"""As many as the schedule of the learning rate is made for."""

_log = logging.getLogger(__name__)


def train_locator(*, data: Path, backgrounds: Path, out: Path, options: dict[str, Any]) -> Path:
    """Train a face locator in the run `out`, or go on with it; the folder in it that is like the bundled one.

    `options`: fields of LocatorConfig; None: unset. Raises ValueError for an option out of bounds, TrainingError for
    what training refuses, ModelRefused where the graph disagrees with the network.
    """
    given = {name: value for name, value in options.items() if value is not None}
    preset = LocatorConfig(data=data, backgrounds=backgrounds, out=out, total_images=SCENES, batch=32, device="cpu")
    config = dataclasses.replace(preset, **given)
    _log.info("%d scenes of %dx%d, into %s", config.total_images, config.side, config.side, out)
    train(config)
    return write_locator_folder(out)


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
