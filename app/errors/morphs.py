"""What the web refuses about moving pictures, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType


class SeedsUnclear(AppError):
    """Name the faces of a morph either by from= and to= or by seeds=, as 1,2,3: two of them at least."""


class MorphTooLarge(AppError):
    """The moving picture has too many frames for its size."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"A morph of {size} pixels a side may have {most} frames; ask for fewer, or for a smaller size=."
        )
        self.limit = most


class MorphTooShort(AppError):
    """The moving picture has fewer frames than faces."""

    def __init__(self, least: int) -> None:
        super().__init__(f"Each of the {least} faces is a frame of its own; ask for {least} frames at least.")
        self.limit = least


class VideoMissing(AppError):
    """The worker that took this job cannot write MP4; WebP and GIF it can."""


MORPH_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        SeedsUnclear: ProblemType(
            "seeds-unclear",
            422,
            "Which faces?",
            "A morph goes from the face of one seed to that of another: from= and to=, or seeds= with several.",
        ),
        MorphTooLarge: ProblemType(
            "morph-too-large",
            422,
            "Morph too large",
            "Frames times pixels pass what one moving picture may have; the member limit has the frames that may be "
            "asked at this size.",
        ),
        MorphTooShort: ProblemType(
            "morph-too-short",
            422,
            "Morph too short",
            "Every face that is named is a frame; the member limit has the frames that these take at least.",
        ),
        VideoMissing: ProblemType(
            "video-missing",
            501,
            "No MP4 here",
            "The workers were installed without the extra `video`, which writes MP4. Ask for WebP or GIF.",
        ),
    }
)
