"""What the web refuses about faces in photos, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType


class FaceNotFound(AppError):
    """No face was found in the photo."""


class SeveralFaces(AppError):
    """There are several faces in the photo; say which with face=."""


class FaceTooSmall(AppError):
    """The face in the photo has too few pixels."""


class LandmarksMalformed(AppError):
    """landmarks are ten numbers with commas between: x and y of the eye on the left, the eye on the right, the nose,
    the mouth corners on the left and right, in pixels of the upright photo."""


FINDING_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        FaceNotFound: ProblemType(
            "face-not-found",
            422,
            "No face found",
            "No face was found in the photo. A face should be upright, uncovered and not tiny; or say where it is with "
            "landmarks=.",
        ),
        SeveralFaces: ProblemType(
            "several-faces",
            422,
            "Several faces",
            "There are several faces in the photo. Choose one with face=, 0 being the largest; the member faces has "
            "box, landmarks and score of each, and the square that would be cut out, as crop.",
        ),
        FaceTooSmall: ProblemType(
            "face-too-small",
            422,
            "Face too small",
            "The face has too few pixels to say what it looks like; the member limit has the least of its longer side. "
            "Send a larger copy of the photo.",
        ),
        LandmarksMalformed: ProblemType(
            "landmarks-malformed",
            422,
            "Malformed landmarks",
            "The landmarks of a face are ten numbers: x and y of eyes, nose and mouth corners, left ones first as one "
            "sees them.",
        ),
    }
)
