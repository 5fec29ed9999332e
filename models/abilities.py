"""What a generator can be asked for: classes, truncation, being turned and moved, a way back from a face to its latent.

The rules of web and command.
"""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from models.catalogue import ModelEntry
from models.errors import ModelCannot, NoSuchClass
from models.manifest import GeneratorManifest, InverterName

MOST_DEGREES = 180.0
MOST_SHIFT = 1.0
TRUNCATED = ("stylegan1", "stylegan2", "stylegan3")
"""Families with a mean w toward which their faces can be drawn; the others have no mapping network."""


class Method(StrEnum):
    """How a latent is found: by the encoder's guess, by a descent from the mean face, or by one from the guess."""

    ENCODER = "encoder"
    DESCENT = "descent"
    HYBRID = "hybrid"


STEPS = {Method.ENCODER: 0, Method.DESCENT: 200, Method.HYBRID: 50}
"""Of a descent, each of which runs the network there and back."""


class Space(StrEnum):
    """What a descent may change: one w for all layers, or each layer's own."""

    W = "w"
    W_PLUS = "w_plus"


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


def needed_inverters(method: Method) -> tuple[InverterName, ...]:
    """The graphs that a method runs."""
    match method:
        case Method.ENCODER:
            return ("encoder",)
        case Method.DESCENT:
            return ("gradient",)
        case Method.HYBRID:
            return ("encoder", "gradient")


def methods_of(manifest: GeneratorManifest) -> list[Method]:
    """The ways back from a face that a model has, the closest first."""
    return [method for method in (Method.HYBRID, Method.DESCENT, Method.ENCODER) if _inverts(manifest, method)]


def method_of(wanted: Method | None, model: ModelEntry, here: Iterable[ModelEntry]) -> Method:
    """The way back from a face that a model gets: hybrid, or else what it has graphs for. Raises ModelCannot."""
    able = methods_of(model.generator)
    if wanted is None and able:
        return able[0]
    asked = wanted or Method.HYBRID
    if asked not in able:
        missing = next(name for name in needed_inverters(asked) if name not in model.generator.inverters)
        lack = f"has no {missing} graph (`personne train encoder` makes it)"
        raise _cannot(model, f"method={asked}", lack, here, lambda other: _inverts(other, asked))
    return asked


def _inverts(manifest: GeneratorManifest, method: Method) -> bool:
    return all(name in manifest.inverters for name in needed_inverters(method))


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
