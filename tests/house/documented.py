"""How a setting is described in docs/settings.md, from the setting itself."""

import types
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import FilePath, SecretStr
from pydantic.fields import FieldInfo

from personne.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
NAMES = {
    str: "text",
    SecretStr: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "folder",
    FilePath: "file",
}


def setting_rows() -> list[str]:
    """A row of the table for every setting, in the order of the code."""
    return [_row(name, field) for name, field in Settings.model_fields.items()]


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{PREFIX}{name.upper()}` | {_type(field)} | {_default(name, field)} | {field.description} |"


def _type(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    low = next((bound for one in field.metadata if (bound := getattr(one, "ge", None)) is not None), None)
    high = next((bound for one in field.metadata if (bound := getattr(one, "le", None)) is not None), None)
    above = next((one.gt for one in field.metadata if isinstance(one, annotated_types.Gt)), None)
    if above is not None:
        return f"{kind} above {above}, to {high}"
    return kind if low is None else f"{kind}, {low} to {high}"


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        return _kind(next(part for part in get_args(annotation) if part is not type(None)))
    if origin is Literal:
        return "one word"
    if origin is tuple:
        return "words, with commas between"
    return NAMES[annotation]


def _default(name: str, field: FieldInfo) -> str:
    if name == "store":
        return "`~/.local/share/personne`"
    match field.default:
        case None | ():
            return "unset"
        case bool():
            return f"`{str(field.default).lower()}`"
        case tuple():
            return f"`{','.join(part.value if isinstance(part, Enum) else part for part in field.default)}`"
    return f"`{field.default}`"
