"""Minima whose places are known."""

import math

import numpy as np
import pytest

from models.minimum import Float64, minimum


def rosenbrock(point: Float64) -> tuple[float, Float64]:
    """Rosenbrock 1960: a bent valley, 0 at (1, 1)."""
    x, y = point
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2, np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


def test_a_bent_valley_is_followed_to_its_end() -> None:
    np.testing.assert_allclose(minimum(rosenbrock, np.array([-1.2, 1.0]), 60, 0.1), [1, 1], atol=1e-5)


def test_a_bowl_a_thousand_times_longer_than_wide_is_no_harder() -> None:
    curvature = np.geomspace(1, 1000, 20).reshape(4, 5)
    found = minimum(lambda x: (float((curvature * x * x).sum()), 2 * curvature * x), np.ones((4, 5)), 80, 1.0)
    assert found.shape == (4, 5)
    assert np.abs(found).max() < 1e-3


def test_no_more_points_are_looked_at_than_allowed_and_the_best_is_given() -> None:
    seen: list[tuple[float, Float64]] = []

    def watched(point: Float64) -> tuple[float, Float64]:
        seen.append((rosenbrock(point)[0], point))
        return rosenbrock(point)

    found = minimum(watched, np.array([-1.2, 1.0]), 9, 50.0)
    assert len(seen) == 9
    np.testing.assert_array_equal(seen[0][1], [-1.2, 1.0])
    np.testing.assert_array_equal(found, min(seen, key=lambda one: one[0])[1])


def test_it_stops_where_nothing_is_lower() -> None:
    start = np.zeros(3)
    assert minimum(lambda x: (float((x * x).sum()), 2 * x), start, 50, 1.0) is start
    # A gradient that lies leads nowhere.
    np.testing.assert_array_equal(minimum(lambda x: (float(x.sum()), -np.ones(3)), start, 1000, 1.0), start)


@pytest.mark.parametrize("beyond", [math.nan, math.inf])
def test_what_has_no_value_is_stepped_back_from(beyond: float) -> None:
    def walled(x: Float64) -> tuple[float, Float64]:
        return (beyond if x[0] > 2 else float((x[0] - 1) ** 2)), 2 * (x - 1)

    assert minimum(walled, np.array([-8.0]), 60, 100.0)[0] == pytest.approx(1, abs=1e-3)
