"""A run's folder: one process at a time, what stays as it was begun."""

import contextlib
import dataclasses
import fcntl
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from models.manifest import TrainingData
from training.atomic import written_whole
from training.dataset import read_training_data
from training.errors import RunRefused
from training.run_config import RunConfig
from training.saved_state import STATE_NAME

CONFIG_NAME = "config.json"
DATA_NAME = "data.json"
LOCK_NAME = ".lock"

Config = TypeVar("Config", bound=RunConfig)


@contextlib.contextmanager
def locked(run: Path) -> Iterator[None]:
    """Make the folder and hold it. Raises RunRefused where another process trains there."""
    run.mkdir(parents=True, exist_ok=True)
    # The kernel lets go of the lock when the process dies, however it dies.
    with (run / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunRefused(f"another process is training in {run}") from error
        yield


def reconciled(config: Config, shape_fields: Sequence[str], data_fields: Sequence[str] = ()) -> Config:
    """The config to go on with. Raises RunRefused where the run was begun with another of `shape_fields`, or with data
    that said otherwise of `data_fields`; data that say nothing contradict nobody."""
    path = config.out / CONFIG_NAME
    if not (config.out / STATE_NAME).exists() or not path.exists():
        return config
    recorded = json.loads(path.read_text())
    asked = json.loads(config.to_json())
    for name in (*shape_fields, *data_fields):
        # Runs of before a setting was thought of have what is now its default.
        was = recorded.get(name, _default(config, name))
        if was != asked[name] and (name in shape_fields or (was and asked[name])):
            raise RunRefused(
                f"{config.out} was begun with {name} {was}, not {asked[name]}; choose another folder for it"
            )
    # How the run began stays on record, whatever the command that continues it says.
    began_from = recorded.get("init_from")
    return dataclasses.replace(config, init_from=None if began_from is None else Path(began_from))


def _default(config: RunConfig, name: str) -> object:
    field = next(each for each in dataclasses.fields(config) if each.name == name)
    return None if field.default is dataclasses.MISSING else field.default


def write_config(config: RunConfig) -> None:
    """Write the run's config.json and, where the pictures say where they come from, its data.json."""
    with written_whole(config.out / CONFIG_NAME) as temporary:
        temporary.write_text(config.to_json())
    if told := tuple(each for source in config.sources for each in read_training_data(source)):
        with written_whole(config.out / DATA_NAME) as temporary:
            temporary.write_bytes(_TOLD.dump_json(told, indent=2))


def recorded_data(run: Path) -> tuple[TrainingData, ...]:
    """What the run learnt from, and under which licences, as far as its pictures said so."""
    path = run / DATA_NAME
    return _TOLD.validate_json(path.read_bytes()) if path.is_file() else ()


_TOLD = TypeAdapter(tuple[TrainingData, ...])
