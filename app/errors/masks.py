"""What the web refuses about masks and about pictures that would grow too large, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType
from jobs.contract import PictureFormat


class MaskMissing(AppError):
    """Nothing says where the photo is to be filled."""

    def __init__(self, style: str) -> None:
        super().__init__(
            f"The style {style} fills holes: send a form with the parts photo and mask, white where the photo is to be "
            "filled, or a PNG or WebP with transparent holes."
        )


class MaskNotWanted(AppError):
    """A mask came with a style that takes none."""

    def __init__(self, style: str) -> None:
        super().__init__(f"The style {style} changes all of a photo and takes no mask; leave the part mask out.")


class MaskRefused(AppError):
    """The mask cannot be used."""


class ResultTooLarge(AppError):
    """The answer would have too many pixels."""

    def __init__(self, width: int, height: int, scale: int, most_pixels: int) -> None:
        super().__init__(
            f"The style makes a photo {scale} times as wide and high; {scale * width}x{scale * height} would be more "
            f"than the {most_pixels} pixels that are made. Send a photo of at most {most_pixels // scale**2} pixels."
        )
        self.limit = most_pixels


class TooLongForFormat(AppError):
    """No picture of that format is so long."""

    def __init__(self, longest: int, picture_format: PictureFormat) -> None:
        super().__init__(
            f"The answer would have {longest} pixels along a side, and {picture_format} has "
            f"{picture_format.longest_side} at most. Ask for format=png, or for a smaller picture."
        )
        self.limit = picture_format.longest_side


MASK_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        MaskMissing: ProblemType(
            "no-mask",
            422,
            "No mask",
            "The style fills holes, and nothing says where they are: send the part mask, white where the photo is to "
            "be filled, or a photo that is transparent there.",
        ),
        MaskNotWanted: ProblemType(
            "mask-not-wanted", 422, "No mask taken", "The style changes all of a photo; a mask is for those that fill."
        ),
        MaskRefused: ProblemType(
            "mask-refused",
            422,
            "Unusable mask",
            "The mask is no picture that can be read, has another shape than the photo, or marks nothing or all of it.",
        ),
        ResultTooLarge: ProblemType(
            "result-too-large",
            422,
            "Result too large",
            "The style enlarges, and the answer would have more pixels than are made; the member limit says how many.",
        ),
        TooLongForFormat: ProblemType(
            "too-long-for-format",
            422,
            "Too long for its format",
            "No WebP is longer or higher than 16,383 pixels, and no JPEG than 65,500; the answer would be. The member "
            "limit says which counts. Ask for PNG, or for a smaller picture.",
        ),
    }
)
