"""Directions at right angles, each of which moves its own attribute and as little as can be of the others."""
# K attributes, A asides, D dimensions

import numpy as np
from numpy.typing import NDArray

ROUNDS = 400
PACE = 0.1

Matrix = NDArray[np.float64]


def clean_directions(gradients_KD: Matrix, asides_AD: Matrix) -> tuple[Matrix, Matrix]:
    """[K, D] directions of length 1, and by each how many times it moves its own attribute as much as any other.

    gradients_KD: how much each attribute is felt to change along each dimension. asides_AD: the same of what none may
    change. Boundaries as they are found move what comes along with them; their duals move nothing else, but keeping the
    others would bring them back to boundaries. Directions at right angles stay what they are, whatever is kept: of all
    such sets, this looks for the one whose worst ratio is the best. It starts with the duals, and draws the set toward
    those that do worst. Raises numpy.linalg.LinAlgError for attributes that are the same.
    """
    free_BD = _complement(asides_AD)
    felt_KB = gradients_KD @ free_BD.T
    raw_KB = np.linalg.pinv(felt_KB).T
    duals_KB = np.asarray(raw_KB / np.linalg.norm(raw_KB, axis=1, keepdims=True), np.float64)
    weights_K: Matrix = np.ones(len(felt_KB))
    best, best_ratios = _right_angled(duals_KB), np.zeros(len(felt_KB))
    for _ in range(ROUNDS):
        tried = _right_angled(weights_K[:, None] * duals_KB)
        ratios = ratios_of(felt_KB @ tried.T)
        if ratios.min() > best_ratios.min():
            best, best_ratios = tried, ratios
        weights_K *= np.clip(np.median(ratios) / ratios, 0.5, 2) ** PACE
        weights_K /= weights_K.mean()
    return best @ free_BD, best_ratios


def ratios_of(moved_KK: Matrix) -> Matrix:
    """[K]: of each direction (a column) how its own attribute (a row) moves, by the most that any other does."""
    own = np.abs(np.diag(moved_KK))
    others = np.abs(moved_KK - np.diag(np.diag(moved_KK))).max(axis=0, initial=1e-6)
    ratios: Matrix = own / others
    return ratios


def _right_angled(rows: Matrix) -> Matrix:
    """The nearest rows of length 1 at right angles to each other."""
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    nearest: Matrix = left @ right
    return nearest


def _complement(rows_AD: Matrix) -> Matrix:
    """An orthonormal basis [B, D] of all that is at right angles to these rows."""
    _, values, right = np.linalg.svd(np.atleast_2d(rows_AD), full_matrices=True)
    basis: Matrix = right[int((values > 1e-9).sum()) :]
    return basis
