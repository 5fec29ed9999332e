"""What is written beside or into a file of tensors by those who made it: family, arguments, licence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.checkpoints.errors import CheckpointRefused

HEADER_BYTES = 100 * 2**20
DESCRIPTION_BYTES = 2**20
LICENCE_KEYS = ("licence", "license")


@dataclass(frozen=True)
class Description:
    """family and kwargs: the network and its constructor's arguments, of a file of our own; empty of any other.

    licence: None where nobody wrote one down. images_seen: of a snapshot of ours.
    """

    family: str = ""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    licence: str | None = None
    images_seen: int | None = None

    def as_request(self) -> dict[str, Any]:
        """The field `described` of a Request."""
        return {"family": self.family, "kwargs": dict(self.kwargs)} if self.family else {}


def describe_file(path: Path) -> Description:
    """From the JSON beside a snapshot of ours, or from a safetensors file's own metadata; empty where there is neither.

    Raises CheckpointRefused where the JSON is there and is none of ours that this release can read.
    """
    beside = path.with_suffix(".json")
    if path.suffix == ".safetensors" and beside.is_file():
        return _from_snapshot(beside)
    return _from_metadata(_metadata(path))


def _from_snapshot(path: Path) -> Description:
    try:
        if path.stat().st_size > DESCRIPTION_BYTES:
            raise ValueError("it is too large")
        fields = json.loads(path.read_text(encoding="utf-8"))
        seen = fields.get("images_seen")
        return Description(
            family=str(fields["family"]),
            kwargs=dict(fields["generator_kwargs"]),
            licence=_licence(fields),
            images_seen=seen if type(seen) is int else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointRefused(f"{path} describes no snapshot of personne ({error}); move it elsewhere.") from error


def _from_metadata(metadata: Mapping[str, Any]) -> Description:
    family, kwargs = metadata.get("family"), metadata.get("kwargs")
    licence = _licence(metadata)
    if not (isinstance(family, str) and isinstance(kwargs, str)):
        return Description(licence=licence)
    try:
        return Description(family=family, kwargs=dict(json.loads(kwargs)), licence=licence)
    except (ValueError, TypeError):
        return Description(licence=licence)


def _licence(fields: Mapping[str, Any]) -> str | None:
    stated = next((fields[key] for key in LICENCE_KEYS if fields.get(key)), None)
    return " ".join(stated.split())[:200] if isinstance(stated, str) else None


def _metadata(path: Path) -> Mapping[str, Any]:
    """The text fields of a safetensors header: eight bytes of length, then JSON. Nothing of any other file."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(HEADER_BYTES, path.stat().st_size - 8):
                return {}
            start = file.read(1)
            if start != b"{":
                return {}
            metadata = json.loads(start + file.read(length - 1)).get("__metadata__")
    except (OSError, ValueError, RecursionError, AttributeError):
        return {}
    return metadata if isinstance(metadata, dict) else {}
