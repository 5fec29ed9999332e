"""What a picture was made of, as it is written into it: enough to make it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from typing import Any

MARKS_VERSION = 1
"""Changes whenever the same recipe would leave with other pixels or another form of metadata; part of every ETag."""
SOFTWARE = f"personne {version('personne')}"
RECIPE_FORMAT = 1
MOST_SAFE = 2**53
"""Whole numbers above this are strings: JavaScript's numbers would round them."""

Plain = str | int | float | bool | None


class SourceType(StrEnum):
    """IPTC's digital source types, of which a picture of ours is one of two."""

    MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class Ingredient:
    """The marks that an uploaded photo had when it came; None and False where it had none.

    source_type: an IPTC address. software: what its metadata says that made it. signed_by: whose content credentials
    it carried. watermark: ours.
    """

    source_type: str | None = None
    software: str | None = None
    signed_by: str | None = None
    watermark: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """kind: of the job (`generate`, `translate`). model, digest: the model's name and digest. seed: where one was used.

    parameters: all else that makes the pixels. ingredient: of a picture that was made from a photo.
    """

    kind: str
    model: str
    digest: str
    seed: int | None = None
    parameters: Mapping[str, Plain] = field(default_factory=dict)
    ingredient: Ingredient | None = None
    software: str = SOFTWARE

    @property
    def source_type(self) -> SourceType:
        return SourceType.MADE if self.ingredient is None else SourceType.COMPOSITE


def to_json(recipe: Recipe) -> str:
    """One line. The seed is a string, whatever its size."""
    document: dict[str, Any] = {
        "format": RECIPE_FORMAT,
        "software": recipe.software,
        "kind": recipe.kind,
        "model": {"name": recipe.model, "digest": recipe.digest},
        "parameters": {name: _exact(value) for name, value in recipe.parameters.items()},
    }
    if recipe.seed is not None:
        document["seed"] = str(recipe.seed)
    if recipe.ingredient is not None:
        ingredient = recipe.ingredient
        document["ingredient"] = {name: getattr(ingredient, name) for name in Ingredient.__dataclass_fields__}
    return json.dumps(document, separators=(",", ":"))


def from_json(text: str) -> Recipe | None:
    """The recipe, or None where the text is none of ours: anybody can write anything into a file."""
    try:
        document = json.loads(text)
        if document["format"] != RECIPE_FORMAT:
            return None
        ingredient = document.get("ingredient")
        return Recipe(
            kind=_text(document["kind"]),
            model=_text(document["model"]["name"]),
            digest=_text(document["model"]["digest"]),
            seed=int(_text(document["seed"])) if "seed" in document else None,
            parameters={_text(name): _plain(value) for name, value in document["parameters"].items()},
            ingredient=None if ingredient is None else _ingredient(ingredient),
            software=_text(document["software"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None


def _exact(value: Plain) -> Plain:
    return str(value) if isinstance(value, int) and abs(value) > MOST_SAFE else value


def _ingredient(document: Mapping[str, Any]) -> Ingredient:
    texts = {
        name: None if document[name] is None else _text(document[name])
        for name in ("source_type", "software", "signed_by")
    }
    return Ingredient(**texts, watermark=document["watermark"] is True)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise TypeError
    # Half of a surrogate pair, which JSON may hold, is no text that could be shown. Raises UnicodeEncodeError.
    value.encode()
    return value


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, int | float | bool):
        return value
    return _text(value)
