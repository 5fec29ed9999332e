"""What the web refuses about edits of faces, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType
from models.errors import AttributeOutOfRange, DirectionsGone, EditRefused, MixRefused, NoSuchAttribute


class SeedOrLatent(AppError):
    """Name either the seed of a face or a stored latent: exactly one of them is edited."""


class NoLatent(AppError):
    """That job left no latent: only inversions do. Their id is the latent's."""


class NoDirection(AppError):
    """That job taught no direction: only those of POST /v1/directions do. Their id is the direction's."""


class DirectionRefused(AppError):
    """No direction can be made of this."""


EDIT_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        SeedOrLatent: ProblemType(
            "seed-or-latent", 422, "Neither or both", "An edit starts from one seed or from one stored latent."
        ),
        NoLatent: ProblemType(
            "no-latent",
            422,
            "No latent",
            "The id is that of a job whose result is a picture. Latents come from inversions: POST /v1/inversions.",
        ),
        NoDirection: ProblemType(
            "no-direction",
            422,
            "No direction",
            "The id is that of a job that taught none, or of a model that is no longer here: POST /v1/directions "
            "teaches some.",
        ),
        DirectionRefused: ProblemType(
            "direction-refused",
            422,
            "No such direction",
            "The name is taken or reserved, the faces are too few, or the direction was taught on another model.",
        ),
        NoSuchAttribute: ProblemType(
            "no-such-attribute",
            422,
            "No such attribute",
            "The model has no direction of that name; the member known lists those that it has, /v1/attributes more.",
        ),
        AttributeOutOfRange: ProblemType(
            "attribute-out-of-range",
            422,
            "Attribute out of range",
            "Beyond its measured range an attribute no longer leaves a face; the member limit has both ends, "
            "attributes those of all.",
        ),
        EditRefused: ProblemType(
            "edit-refused",
            422,
            "Edits that contradict each other",
            "An attribute cannot be moved and kept at once, nor moved without one that is the same direction.",
        ),
        DirectionsGone: ProblemType(
            "directions-gone",
            404,
            "Directions gone",
            "The address pins directions that the model no longer has: no picture rather than another one. The member "
            "present says which it has now.",
        ),
        MixRefused: ProblemType(
            "mix-refused",
            422,
            "No such mix",
            "mix= names layers that the model does not have or that come twice; the member limit has the first layer "
            "and the last.",
        ),
    }
)
