"""The boundary between latents whose faces score high and low (Shen et al. 2020, "Interpreting the latent space")."""
# N latents, D width of the latent

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from models.directions import Float32, unit_direction

FITTED = 0.7
"""Of the extremes; the others are held out."""
FEWEST = 10
"""Latents on either side, or there is nothing to fit."""


@dataclass(frozen=True)
class Boundary:
    """normal: [1, D], toward high scores. held_out: share of extremes that it was not fitted to and puts on their side.
    rest: the same of all that are no extremes, the middle of the scores being the line between them."""

    normal: Float32
    held_out: float
    rest: float


def find_boundary(
    latents_ND: NDArray[np.floating], scores_N: NDArray[np.floating], share: float = 0.1, seed: int = 0
) -> Boundary:
    """The hyperplane between the `share` of latents that score highest and as many that score lowest.

    A linear support vector machine; with as many latents as dimensions any random labels can be told apart, so the
    share should leave some times more. Raises ValueError for too few latents, and scores that do not differ.
    """
    chosen = int(len(scores_N) * share)
    if chosen < FEWEST:
        raise ValueError(
            f"{len(scores_N)} scored latents are too few: at least {int(np.ceil(FEWEST / share))} are needed"
        )
    order = np.argsort(scores_N, kind="stable")
    low, rest, high = order[:chosen], order[chosen:-chosen], order[-chosen:]
    if not scores_N[low].max() < scores_N[high].min():
        raise ValueError("the scores are the same for most latents, so that there is no high and low")
    rows = np.concatenate([low, high])
    above = np.repeat([False, True], chosen)
    shuffled = np.random.RandomState(seed).permutation(len(rows))
    fitted, held_out = np.split(shuffled, [int(len(rows) * FITTED)])
    centre, scale = latents_ND.mean(0), latents_ND.std()
    placed = (latents_ND - centre) / scale
    machine = LinearSVC(dual="auto", C=0.01, max_iter=20_000, random_state=seed)
    machine.fit(placed[rows[fitted]], above[fitted])

    def accuracy(places: NDArray[np.integer], wanted: NDArray[np.bool_]) -> float:
        return float((machine.predict(placed[places]) == wanted).mean()) if len(places) else float("nan")

    middle = (scores_N.max() + scores_N.min()) / 2
    return Boundary(
        normal=unit_direction(machine.coef_),
        held_out=accuracy(rows[held_out], above[held_out]),
        rest=accuracy(rest, scores_N[rest] > middle),
    )
