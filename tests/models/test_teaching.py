"""Directions that a few dozen faces teach."""

import numpy as np
import pytest

from models.directions import DirectionsRefused
from models.teaching import CannotTeach, check_scores, left_out_accuracy, taught_direction

WIDTH = 32


def faces(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=[count, WIDTH]).astype(np.float32)


def test_it_leads_where_the_scores_say_and_one_of_strength_is_a_deviation() -> None:
    way = np.zeros(WIDTH, np.float32)
    way[3] = 1
    w, others = 2 * faces(96), 2 * faces(512, seed=1)
    found = taught_direction("cheerful", "from glum to glad", w, np.sign(w @ way), others)
    (vector,) = found.vector
    assert vector @ way > 0.75
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert found.unit == pytest.approx((others @ vector).std())
    assert (found.name, found.space, found.layers, found.low, found.high) == ("cheerful", "w", None, -3, 3)
    assert found.accuracy is not None
    assert found.accuracy > 0.65
    more = int((w @ way > 0).sum())
    assert f"{more} faces with more" in found.measure


def test_the_accuracy_is_not_flattered_by_what_was_learnt_by_heart() -> None:
    rng, scores = np.random.default_rng(2), np.repeat([1.0, -1.0], 20)
    seen, unseen = [], []
    for _ in range(10):
        # Almost as many dimensions as faces, and nothing to be learnt.
        w = rng.normal(size=[40, WIDTH])
        difference = w[scores > 0].mean(0) - w[scores < 0].mean(0)
        seen.append((np.sign((w - w.mean(0)) @ difference) == scores).mean())
        unseen.append(left_out_accuracy(w, scores))
    assert np.mean(seen) > 0.75
    assert 0.35 < np.mean(unseen) < 0.6


def test_plainer_examples_count_more_and_nought_counts_nothing() -> None:
    w = faces(20, seed=4)
    scores = np.array([1.0, 0.1] * 5 + [-1.0] * 10)
    plain = taught_direction("it", "", w, scores, w)
    with_skipped = taught_direction("it", "", np.concatenate([w, faces(5)]), np.append(scores, np.zeros(5)), w)
    np.testing.assert_allclose(plain.vector, with_skipped.vector, atol=1e-6)
    even = taught_direction("it", "", w, np.sign(scores), w)
    first = w[0] - w[10:].mean(0)
    assert plain.vector[0] @ first > even.vector[0] @ first


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [((1, 1, 1, 1), "4 faces have more of it and 0 less"), ((1, -1) * 3, "4 of each"), ((1, -1) * 251, "500 faces")],
)
def test_too_few_and_too_many_teach_nothing(scores: tuple[float, ...], sentence: str) -> None:
    with pytest.raises(CannotTeach, match=sentence):
        check_scores(scores)


def test_its_name_is_as_that_of_any_other() -> None:
    w = faces(8)
    with pytest.raises(DirectionsRefused, match="a parameter of addresses already"):
        taught_direction("seed", "", w, np.array([1.0, -1.0] * 4), w)
