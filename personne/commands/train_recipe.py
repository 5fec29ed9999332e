"""personne train: from options to a preset to the recipe's loop."""

import dataclasses
import logging
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from training import autoencoder, dcgan, faces, progressive, translation
from training.autoencoder.state import RECIPE as AUTOENCODER
from training.cost import cost, typed_settings
from training.dcgan.loop import RECIPE as DCGAN
from training.faces.run import RECIPE as FACES
from training.portrait_presets import PORTRAIT_PRESETS, smaller
from training.presets import TRANSLATION_PRESETS, on_two_cores
from training.progressive.state import RECIPE as PROGRESSIVE
from training.run_config import RunConfig
from training.steps import device_of, set_up
from training.translation import fresh_state as fresh_translation

# Of each command: the loop, and a fresh state, from which --dry-run reads what it will cost.
LOOPS: Mapping[str, tuple[Callable[[Any], None], Callable[[Any, torch.device], Any]]] = {
    "faces": (faces.train, FACES.fresh),
    "stylegan1": (progressive.train, PROGRESSIVE.fresh),
    "pggan": (progressive.train, PROGRESSIVE.fresh),
    "dcgan": (dcgan.train, DCGAN.fresh),
    "autoencoder": (autoencoder.train, AUTOENCODER.fresh),
    "translation": (translation.train, fresh_translation),
}

_log = logging.getLogger(__name__)


def train_recipe(
    recipe: str,
    *,
    data: Path,
    out: Path,
    preset: str | None = None,
    options: Mapping[str, Any] = types.MappingProxyType({}),
    changes: Sequence[str] = (),
    dry_run: bool = False,
) -> list[str]:
    """Train in the run `out`, or go on with it.

    `options`: fields of the recipe's config; None: unset. `changes`: more of them as NAME=VALUE. dry_run: only say, in
    lines, what would be done and what it would cost. Raises ValueError for an option out of bounds, TrainingError for
    what training refuses.
    """
    given = {name: value for name, value in options.items() if value is not None}
    chosen, config = _from_preset(recipe, data, out, preset, given)
    given |= dict(read_change(type(config), change) for change in changes)
    config = dataclasses.replace(config, **given)
    train, fresh = LOOPS[recipe]
    if dry_run:
        set_up(config)
        on_cpu = fresh(config, torch.device("cpu"))
        return [f"preset {chosen}", *typed_settings(config), "", *cost(config, on_cpu, device_of(config))]
    _log.info("preset %s, into %s", chosen, out)
    train(config)
    return []


def _from_preset(
    recipe: str, data: Path, out: Path, preset: str | None, given: dict[str, Any]
) -> tuple[str, RunConfig]:
    on_gpu = _on_gpu(given.get("device"))
    presets: Mapping[str, Any] = TRANSLATION_PRESETS if recipe == "translation" else PORTRAIT_PRESETS[recipe]
    chosen = preset or _fitting(recipe, on_gpu=on_gpu)
    if chosen not in presets:
        raise ValueError(f"There is no preset {chosen!r}; there are: {', '.join(presets)}.")
    if recipe == "translation":
        config = TRANSLATION_PRESETS[chosen](data, out, given.pop("style", None))
        is_large = config.objective == "pix2pix" and not chosen.endswith("_on_two_cores")
        return chosen, on_two_cores(config) if is_large and not on_gpu else config
    portraits = PORTRAIT_PRESETS[recipe][chosen](data, out, given.pop("resolution"))
    return chosen, portraits if on_gpu or recipe == "faces" else smaller(portraits)


def _fitting(recipe: str, *, on_gpu: bool) -> str:
    if recipe == "translation":
        return "painting" if on_gpu else "painting_on_two_cores"
    if recipe == "faces":
        return "faces" if on_gpu else "faces_on_two_cores"
    return next(iter(PORTRAIT_PRESETS[recipe]))


def read_change(kind: type[RunConfig], change: str) -> tuple[str, Any]:
    """`ngf=32` -> ("ngf", 32), by the type of the field. Raises ValueError for an unknown field or a wrong value."""
    name, _, text = change.partition("=")
    hints = typing.get_type_hints(kind)
    kinds = {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.name != "out"}
    if name not in kinds:
        raise ValueError(f"There is no setting {name!r}; there are: {', '.join(sorted(kinds))}.")
    try:
        return name, _read(text, kinds[name])
    except ValueError:
        raise ValueError(f"{name} is {text!r}; it must be {_in_words(kinds[name])}") from None


def _read(text: str, kind: Any) -> Any:
    if kind is bool:
        return {"true": True, "false": False}[text] if text in {"true", "false"} else _refuse()
    if typing.get_origin(kind) is tuple:
        return tuple(part for part in text.split(",") if part)
    if isinstance(kind, types.UnionType):
        return None if text == "" else typing.get_args(kind)[0](text)
    return kind(text)


def _refuse() -> Any:
    raise ValueError


def _in_words(kind: Any) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "text")


def _on_gpu(device: str | None) -> bool:
    return torch.cuda.is_available() if device in {None, "auto"} else not str(device).startswith("cpu")
