"""What can be wrong with a model.

ModelsError
├── ModelNotFound     nothing of that name or digest in the catalogue
├── ModelRefused      a folder that is no usable model, with the reason
├── WrongKindOfModel  a translator where a generator is wanted, or the other way
├── NoSuchClass       a class that the model's labels do not have
├── ModelCannot       something that this model cannot do and another may
├── NoSuchAttribute      an attribute that the model has no direction for
├── AttributeOutOfRange  a strength beyond which faces are none
├── EditRefused          edits that contradict each other
├── DirectionsGone       edits that mean directions which have been replaced
└── MixRefused           style layers that the model does not have, or that come twice
"""

from collections.abc import Mapping, Sequence


class ModelsError(Exception):
    """Something is wrong with a model."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ModelNotFound(ModelsError):
    """No such model."""

    def __init__(self, wanted: str, known: list[str]) -> None:
        listing = ", ".join(known) or "none at all"
        super().__init__(f"There is no model {wanted!r} here; known are: {listing}.")
        self.wanted = wanted
        self.known = known


class ModelRefused(ModelsError):
    """This folder is no model that this release can use."""


class WrongKindOfModel(ModelsError):
    """This model does something else."""

    def __init__(self, name: str, does: str, wanted: str) -> None:
        super().__init__(f"Model {name!r} {does}; choose one that can {wanted}.")


class NoSuchClass(ModelsError):
    """The model has no such class."""

    def __init__(self, wanted: str, name: str, largest: int, class_names: Sequence[str]) -> None:
        named = f", or one of: {', '.join(class_names)}" if class_names else ""
        super().__init__(f"class is a number from 0 to {largest} for model {name!r}{named}; {wanted!r} was asked.")
        self.limit = {"minimum": 0, "maximum": largest}


class ModelCannot(ModelsError):
    """This model cannot do that."""

    def __init__(self, name: str, parameter: str, lack: str, able: Sequence[str]) -> None:
        others = f"models here that do: {', '.join(able)}" if able else "no model here does"
        super().__init__(f"Model {name!r} {lack}, so it takes no {parameter}; {others}.")
        self.parameter = parameter
        self.able = list(able)


class NoSuchAttribute(ModelsError):
    """The model has no direction for such an attribute."""

    def __init__(self, wanted: str, name: str, known: Sequence[str]) -> None:
        listing = f"it has: {', '.join(known)}" if known else "it has none; `personne directions` finds some"
        super().__init__(f"Model {name!r} has no attribute {wanted!r}; {listing}.")
        self.known = list(known)


class AttributeOutOfRange(ModelsError):
    """Beyond this strength a face is none any more."""

    def __init__(
        self, attribute: str, name: str, strength: float, attributes: Mapping[str, Mapping[str, float]]
    ) -> None:
        limit = attributes[attribute]
        super().__init__(
            f"{attribute} is a number from {limit['minimum']:g} to {limit['maximum']:g} for model {name!r}, beyond "
            f"which its faces are none; {strength:g} was asked."
        )
        self.limit = limit
        self.attributes = attributes


class EditRefused(ModelsError):
    """These edits contradict each other."""


class DirectionsGone(ModelsError):
    """The directions that these edits mean have been replaced by others."""

    def __init__(self, wanted: str, name: str, present: str) -> None:
        has = f"it has {present} now" if present else "it has none now"
        super().__init__(
            f"The directions {wanted} of model {name!r} are gone: {has}. Leave out directions= to use those."
        )
        self.present = present


class MixRefused(ModelsError):
    """These layers of other seeds cannot be taken."""

    def __init__(self, name: str, num_ws: int, why: str) -> None:
        super().__init__(
            f"mix is SEED:LAYERS, as 9:0-3 or 9:0-3,4:7:0.5, with layers from 0 to {num_ws - 1} for model {name!r}, "
            f"each at most once; {why}."
        )
        self.limit = {"minimum": 0, "maximum": num_ws - 1}
