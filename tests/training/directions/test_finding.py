"""Boundaries, components and closed forms: each finds what was put there."""

import numpy as np
import pytest

from tests.tiny_networks import tiny_network
from training.directions.ganspace import principal_components
from training.directions.interfacegan import find_boundary
from training.directions.sefa import semantics, style_weights

WIDTH = 16


def latents(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, WIDTH))


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=WIDTH)
    return vector / np.linalg.norm(vector)


def test_a_boundary_is_found_again() -> None:
    w, truth = latents(3000), unit(1)
    noise = np.random.default_rng(2).normal(size=len(w))
    found = find_boundary(w, w @ truth + 0.3 * noise)
    assert found.normal.shape == (1, WIDTH)
    assert np.linalg.norm(found.normal) == pytest.approx(1, abs=1e-5)
    assert found.normal[0] @ truth > 0.98, "and it leads toward high scores"
    assert found.held_out > 0.97
    assert 0.6 < found.rest < 1


def test_scores_of_chance_give_no_accuracy() -> None:
    w = latents(3000)
    found = find_boundary(w, np.random.default_rng(5).normal(size=len(w)))
    assert 0.35 < found.held_out < 0.65
    assert 0.4 < found.rest < 0.6


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [(np.arange(50.0), "50 scored latents are too few: at least 100"), (np.zeros(200), "the same for most latents")],
)
def test_nothing_to_find(scores: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        find_boundary(latents(len(scores)), scores)


def test_components_are_the_widest_axes() -> None:
    widths = np.array([5.0, 3.0, 2.0, *[0.1] * (WIDTH - 3)])
    turn, _ = np.linalg.qr(latents(WIDTH, seed=3))
    found = principal_components((latents(5000) * widths) @ turn.T + 7, 3)
    np.testing.assert_allclose(np.abs(found.vectors @ turn[:, :3]), np.eye(3), atol=0.05)
    np.testing.assert_allclose(found.deviations, widths[:3], rtol=0.05)
    assert found.shares.sum() == pytest.approx(1, abs=0.01)
    assert (found.vectors[np.arange(3), np.abs(found.vectors).argmax(1)] > 0).all()
    with pytest.raises(ValueError, match="fewer than 3 components"):
        principal_components(latents(3), 3)


def test_the_closed_form_finds_what_moves_styles_most() -> None:
    truth = unit(4)
    rows = np.random.default_rng(0).normal(size=(200, WIDTH)) * 0.1 + np.outer(np.sign(latents(200)[:, 0]), truth)
    vectors, values = semantics({0: rows[:100], 1: rows[100:]}, 2)
    assert abs(vectors[0] @ truth) > 0.98
    assert values[0] > values[1]
    assert values[0] <= 200, "rows have length one"
    with pytest.raises(ValueError, match=r"layers \(5, 9\) hold no style; there are 0 to 1"):
        semantics({0: rows, 1: rows}, 2, (5, 9))


@pytest.mark.parametrize("name", ["stylegan1", "stylegan2", "stylegan3-t", "stylegan3-r", "pggan", "dcgan"])
def test_every_family_has_styles(name: str) -> None:
    network, family, _ = tiny_network(name)
    weights = style_weights({name: t.numpy(force=True) for name, t in network.state_dict().items()}, family)
    assert {weight.shape[1] for weight in weights.values()} == {network.w_dim}
    assert max(weights) < network.num_ws
    if family == "stylegan2":
        assert list(weights) == list(range(network.num_ws - 1)), "the last style makes colours only"
    vectors, _ = semantics(weights, 3)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(3), atol=1e-9)


def test_tensors_of_something_else() -> None:
    with pytest.raises(ValueError, match="no weights of a stylegan2's styles"):
        style_weights({"conv.weight": np.ones([3, 3])}, "stylegan2")
