"""Directions at right angles that move what they are called."""

import numpy as np
import pytest

from training.directions.clean import clean_directions, ratios_of


def mixed(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of four attributes that share something, of different lengths, and of one aside."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=24)
    gradients = (random.normal(size=(4, 24)) + 0.6 * shared) * np.array([[1.0], [0.3], [2.0], [0.7]])
    return gradients, random.normal(size=(1, 24)) + 0.6 * shared


@pytest.mark.parametrize("seed", range(4))
def test_each_moves_its_own_and_the_aside_stays(seed: int) -> None:
    gradients, asides = mixed(seed)
    vectors, ratios = clean_directions(gradients, asides)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(asides @ vectors.T, 0, atol=1e-9)
    np.testing.assert_allclose(ratios, ratios_of(gradients @ vectors.T))
    lengths = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    left, _, right = np.linalg.svd(lengths, full_matrices=False)
    assert ratios.min() > 1.5 * ratios_of(gradients @ (left @ right).T).min(), "better than boundaries made square"


def test_without_asides_what_is_at_right_angles_stays() -> None:
    gradients = np.diag([1.0, 2.0, 3.0])
    vectors, ratios = clean_directions(gradients, np.zeros((0, 3)))
    np.testing.assert_allclose(np.abs(vectors), np.eye(3), atol=1e-9)
    assert ratios.min() >= 1e6
