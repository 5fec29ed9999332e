"""personne train translation: from options to a preset to the recipe's loop."""

import dataclasses
import logging
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from training.presets import TRANSLATION_PRESETS, on_two_cores
from training.translation import train
from training.translation.config import TranslationConfig

_log = logging.getLogger(__name__)


def train_translation(
    *, data: Path, style: Path | None, out: Path, preset: str | None, options: dict[str, Any], changes: Sequence[str]
) -> None:
    """Train a translator in the run `out`, or go on with it.

    `options`: fields of TranslationConfig; None: unset. `changes`: more of them as NAME=VALUE. Raises ValueError for an
    option out of bounds, TrainingError for what training refuses.
    """
    chosen = preset or ("painting" if _on_gpu(options.get("device")) else "painting_on_two_cores")
    if chosen not in TRANSLATION_PRESETS:
        raise ValueError(f"There is no preset {chosen!r}; there are: {', '.join(TRANSLATION_PRESETS)}.")
    given = {name: value for name, value in options.items() if value is not None}
    given |= dict(read_change(change) for change in changes)
    preset_config = TRANSLATION_PRESETS[chosen](data, out, style)
    if preset_config.objective == "pix2pix" and not _on_gpu(options.get("device")):
        preset_config = on_two_cores(preset_config)
    config: TranslationConfig = dataclasses.replace(preset_config, **given)
    _log.info("preset %s, %dx%d, into %s", chosen, config.resolution, config.resolution, out)
    train(config)


def read_change(change: str) -> tuple[str, Any]:
    """`ngf=32` -> ("ngf", 32), by the type of the field. Raises ValueError for an unknown field or a wrong value."""
    name, _, text = change.partition("=")
    kinds = {key: kind for key, kind in typing.get_type_hints(TranslationConfig).items() if key != "out"}
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
