"""The tensors that a run may start from: another run's, a snapshot's, a model's of the store, or any checkpoint's."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from models.catalogue import open_model
from models.checkpoints.opening import open_safely
from models.export.rebuild import rebuild
from models.manifest import MANIFEST_FILE
from training.errors import RunRefused
from training.saved_state import STATE_NAME, open_state
from training.snapshots import open_snapshot

GENERATORS = ("generator", "average")


def trained_tensors(source: Path, family: str, names: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """State dicts by the name of the network in a run's state.

    source: a run's folder (of which it gives those of `names`), a snapshot, a model's folder (also a bundled one, whose
    weights lie in its graphs alone), or a checkpoint that `personne import` reads; these hold a generator alone, which
    then stands for the average too. Raises RunRefused where it is of another family than wanted, or damaged.
    """
    if (source / STATE_NAME).is_file():
        content = open_state(source / STATE_NAME, "give a snapshot of that run, which holds its generator")
        return {name: content[name] for name in names if name in content}
    found, tensors = _generator(source)
    if found != family:
        raise RunRefused(f"{source} is a {found} network, and this run trains a {family}")
    return {name: tensors for name in GENERATORS if name in names}


def _generator(source: Path) -> tuple[str, dict[str, Tensor]]:
    if (source / MANIFEST_FILE).is_file():
        entry = open_model(source, "store")
        return entry.manifest.family, rebuild(entry).state_dict()
    if source.is_dir() or source.with_suffix(".json").is_file():
        snapshot = open_snapshot(source)
        return snapshot.family, snapshot.tensors()
    checkpoint = open_safely(source)
    return checkpoint.family, checkpoint.tensors
