"""What the commands that train share: a preset by name, settings by name, and what a run would cost."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch

from training.cost import cost, typed_settings
from training.run_config import RunConfig
from training.saved_state import RunState
from training.steps import device_of, set_up

Config = TypeVar("Config")
OfRun = TypeVar("OfRun", bound=RunConfig)
Preset = TypeVar("Preset")


def preset_of(presets: Mapping[str, Preset], asked: str | None, fitting: str | None = None) -> tuple[str, Preset]:
    """The preset that was asked for, else the fitting one, else the first; and its name. Raises ValueError."""
    chosen = asked or fitting or next(iter(presets))
    if chosen not in presets:
        raise ValueError(f"There is no preset {chosen!r}; there are: {', '.join(presets)}.")
    return chosen, presets[chosen]


def changed(config: Config, options: Mapping[str, Any], changes: Sequence[str]) -> Config:
    """options: fields of the config; None: unset. changes: more of them as NAME=VALUE. Raises ValueError."""
    given = {name: value for name, value in options.items() if value is not None}
    given |= dict(read_change(type(config), change) for change in changes)
    return dataclasses.replace(config, **given)  # type: ignore[type-var]  # a dataclass, which has no type of its own


def dry_run(
    preset: str | None,
    config: OfRun,
    fresh: Callable[[OfRun, torch.device], RunState],
    also: Sequence[str] = (),
) -> list[str]:
    """What would be done and what it would cost, in lines. also: what the recipe holds in memory besides.

    Raises RunRefused for a device that is not to be had.
    """
    # What is not to be had is refused before networks are made for it.
    device = device_of(config)
    set_up(config)
    state = fresh(config, torch.device("cpu"))
    named = [] if preset is None else [f"preset {preset}"]
    return [*named, *typed_settings(config), "", *cost(config, state, device), *also]


def read_change(kind: type[Any], change: str) -> tuple[str, Any]:
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
