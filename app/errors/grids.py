"""What the web refuses about grids of faces, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType


class GridUnclear(AppError):
    """The grid is described in two ways that exclude each other."""


class GridTooLarge(AppError):
    """The grid has too many cells for their size."""

    def __init__(self, sentence: str, limit: int) -> None:
        super().__init__(sentence)
        self.limit = limit


GRID_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        GridUnclear: ProblemType(
            "grid-unclear",
            422,
            "Which grid?",
            "The faces of a grid are named by seeds=, or by seed= and count=. Its rows are wrapped by columns=, or one "
            "attribute with a range moves over each row in steps=.",
        ),
        GridTooLarge: ProblemType(
            "grid-too-large",
            422,
            "Grid too large",
            "The grid passes what one picture may have: cells, pixels, or the length of a side. The member limit has "
            "the cells, or the pixels of a side, that may be asked.",
        ),
    }
)
