"""What a generator can be asked for: classes, truncation, being turned and moved. The rules of web and command."""

import re
from collections.abc import Callable, Iterable

from models.catalogue import ModelEntry
from models.errors import ModelCannot, NoSuchClass
from models.manifest import GeneratorManifest

MOST_DEGREES = 180.0
MOST_SHIFT = 1.0
TRUNCATED = ("stylegan1", "stylegan2", "stylegan3")
"""Families with a mean w toward which their faces can be drawn; the others have no mapping network."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def takes_truncation(manifest: GeneratorManifest) -> bool:
    """Whether truncation_psi means something to this model."""
    return manifest.family in TRUNCATED


def psi_of(wanted: float | None, default: float, model: ModelEntry, here: Iterable[ModelEntry]) -> float:
    """The truncation_psi that a model gets: 1 where there is nothing to truncate. Raises ModelCannot."""
    if takes_truncation(model.generator):
        return _plain(default if wanted is None else wanted)
    if wanted not in (None, 1.0):
        raise _cannot(model, "truncation_psi", "has no mean face to truncate toward", here, takes_truncation)
    return 1.0


def label_of(wanted: str | None, model: ModelEntry, here: Iterable[ModelEntry]) -> int | None:
    """The class that is meant by its number or its name (a number wins over a name that looks like one).

    Raises NoSuchClass, and ModelCannot for a model without classes.
    """
    manifest = model.generator
    if wanted is None:
        return None
    if not manifest.c_dim:
        raise _cannot(model, "class", "has no classes", here, lambda other: other.c_dim > 0)
    if _INDEX.fullmatch(wanted) and int(wanted) < manifest.c_dim:
        return int(wanted)
    if wanted in manifest.class_names:
        return manifest.class_names.index(wanted)
    raise NoSuchClass(wanted, manifest.name, manifest.c_dim - 1, manifest.class_names)


def movement_of(
    rotate: float | None, across: float | None, down: float | None, model: ModelEntry, here: Iterable[ModelEntry]
) -> tuple[float, float, float]:
    """Degrees, share to the right, share down; zeros where nothing is asked. Raises ModelCannot."""
    asked = {"rotate": rotate, "translate_x": across, "translate_y": down}
    movement = {name: _plain(value or 0.0) for name, value in asked.items()}
    if not model.generator.takes_transform:
        for name, value in movement.items():
            if value:
                lack = "cannot turn or move what it draws (StyleGAN3 alone can)"
                raise _cannot(model, name, lack, here, lambda other: other.takes_transform)
    return movement["rotate"], movement["translate_x"], movement["translate_y"]


def _cannot(
    model: ModelEntry,
    parameter: str,
    lack: str,
    here: Iterable[ModelEntry],
    able: Callable[[GeneratorManifest], bool],
) -> ModelCannot:
    generators = (entry.manifest for entry in here)
    names = sorted(other.name for other in generators if isinstance(other, GeneratorManifest) and able(other))
    return ModelCannot(model.manifest.name, parameter, lack, names)


def _plain(value: float) -> float:
    # + 0.0 makes -0.0 the same job as 0.0, and so the same address and validator.
    return float(value) + 0.0
