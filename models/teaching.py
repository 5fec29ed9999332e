"""A direction out of a few dozen faces that somebody called more or less of something.

The difference of the two groups' means in w, as attribute vectors are made (Larsen et al. 2016, "Autoencoding beyond
pixels using a learned similarity metric", section 4.2). With so few faces and so many dimensions nothing finer pays:
the weaker a ridge regression is held back, the worse its direction predicts faces that it was not given (measured on
the bundled model, docs/models.md). The accuracy leaves each face out once, and asks on which side of the middle the
direction of all others puts it.
"""
# N faces, D width of w

import numpy as np
from numpy.typing import NDArray

from models.directions import Direction, Float32, unit_direction
from models.errors import ModelRefused

LEAST_EACH = 4
"""Faces of either kind: with fewer, what is left when one is left out is hardly a group."""
MOST_FACES = 500
METHOD = "difference of means"

Float64 = NDArray[np.float64]


class CannotTeach(ModelRefused):
    """These faces teach no direction."""


def check_scores(scores: list[float] | tuple[float, ...]) -> None:
    """Raises CannotTeach for too few faces of a kind, and for too many."""
    more, less = sum(score > 0 for score in scores), sum(score < 0 for score in scores)
    if min(more, less) < LEAST_EACH:
        raise CannotTeach(
            f"{more} faces have more of it and {less} less; a direction takes {LEAST_EACH} of each at least, and is "
            "good with a few dozen."
        )
    if len(scores) > MOST_FACES:
        raise CannotTeach(f"A direction is taught by {MOST_FACES} faces at most; these are {len(scores)}.")


def taught_direction(
    name: str, meaning: str, w_ND: Float32, scores_N: NDArray[np.floating], spread_MD: Float32
) -> Direction:
    """w_ND: of the faces; scores_N: above 0 for more, below 0 for less, and how far is how much each counts in its
    group. spread_MD: of any other faces, whose spread along the direction is one of strength.

    Raises CannotTeach, DirectionsRefused.
    """
    check_scores(scores_N.tolist())
    kept = scores_N != 0
    w, scores = w_ND[kept].astype(np.float64), scores_N[kept].astype(np.float64)
    vector = unit_direction(_difference(w, scores)[0])
    more, less = int((scores > 0).sum()), int((scores < 0).sum())
    return Direction(
        name=name,
        space="w",
        vector=vector,
        unit=float((spread_MD @ vector[0]).std()) or 1.0,
        method=METHOD,
        accuracy=left_out_accuracy(w, scores),
        measure=f"taught by {more} faces with more of it and {less} with less; the accuracy leaves each out once",
        meaning=meaning,
    )


def left_out_accuracy(w_ND: Float64, scores_N: Float64) -> float:
    """How many faces lie on their own side of the middle between the groups, 0 to 1 and each kind counted by half,
    where direction and middle are made without the face itself."""
    right = np.zeros(len(scores_N), bool)
    for place in range(len(scores_N)):
        others = np.arange(len(scores_N)) != place
        difference_D, middle_D = _difference(w_ND[others], scores_N[others])
        right[place] = ((w_ND[place] - middle_D) @ difference_D > 0) == (scores_N[place] > 0)
    return float((right[scores_N > 0].mean() + right[scores_N < 0].mean()) / 2)


def _difference(w_ND: Float64, scores_N: Float64) -> tuple[Float64, Float64]:
    """The means' difference [D], and the middle between them [D]."""
    more_D, less_D = (
        np.average(w_ND[sign * scores_N > 0], axis=0, weights=np.abs(scores_N[sign * scores_N > 0])) for sign in (1, -1)
    )
    return more_D - less_D, (more_D + less_D) / 2
