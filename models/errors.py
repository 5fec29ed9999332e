"""What can be wrong with a model.

ModelsError
├── ModelNotFound     nothing of that name or digest in the catalogue
├── ModelRefused      a folder that is no usable model, with the reason
└── WrongKindOfModel  a translator where a generator is wanted, or the other way
"""


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
