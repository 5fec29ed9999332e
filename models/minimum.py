"""Limited-memory BFGS: a minimum from values and gradients, where each of them costs much.

Nocedal and Wright, Numerical Optimization (2006), algorithms 3.1 and 7.4. SciPy has it, too, for forty megabytes that
no worker needs otherwise.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
ValueAt = Callable[[Float64], tuple[float, Float64]]
"""A function's value at a point, and its gradient there."""

REMEMBERED = 30
"""Steps from which the curvature is known."""
ENOUGH = 1e-4
"""Share of the fall that the gradient promises which a step must bring at least."""
SHORTER = 0.1, 0.5
"""What is left of a step that went too far, at least and at most."""
SHORTEST = 1e-6
"""Share of a step below which there is nothing more to be had in its direction."""


class _Step(NamedTuple):
    """How far it went, how much the gradient changed, and the product of the two."""

    moved: Float64
    turned: Float64
    product: float


def minimum(value_at: ValueAt, start: Float64, count: int, first: float) -> Float64:
    """The best of `count` points at most, `start` the first of them; fewer where nothing better is to be found.

    first: how far the first step moves the coordinate that it moves most.
    """
    search = _Search(value_at, count)
    point, (value, gradient) = start, search.look(start)
    steps = deque[_Step](maxlen=REMEMBERED)
    while search.left:
        towards = -_scaled(gradient, steps)
        slope = float(np.vdot(towards, gradient))
        if not slope < 0:
            break
        length = 1.0 if steps else first / float(np.abs(towards).max())
        found = search.along(point, towards, value, slope, length)
        if found is None:
            if not steps:
                break
            # What was remembered misled; the gradient itself may not.
            steps.clear()
            continue
        reached, value, there = found
        step = _Step(reached - point, there - gradient, float(np.vdot(reached - point, there - gradient)))
        if step.product > 1e-10 * float(np.vdot(step.turned, step.turned)):
            steps.append(step)
        point, gradient = reached, there
    return search.best


class _Search:
    """Counts looks, and keeps the best point that was looked at."""

    def __init__(self, value_at: ValueAt, count: int) -> None:
        self._value_at = value_at
        self.left = count
        self._lowest = math.inf

    def look(self, point: Float64) -> tuple[float, Float64]:
        self.left -= 1
        value, gradient = self._value_at(point)
        if value < self._lowest or math.isinf(self._lowest):
            self.best, self._lowest = point, value
        return value, gradient

    def along(
        self, point: Float64, towards: Float64, value: float, slope: float, length: float
    ) -> tuple[Float64, float, Float64] | None:
        """A point in that direction that is lower by enough, its value and gradient. None: there is none, or no time
        left."""
        shortest = length * SHORTEST
        while self.left and length > shortest:
            there = point + length * towards
            found, gradient = self.look(there)
            if found <= value + ENOUGH * length * slope:
                return there, found, gradient
            # The lowest point of the parabola through what is known.
            bend = 2 * (found - value - length * slope)
            share = -length * slope / bend if math.isfinite(bend) else 0.0
            length *= min(max(share, SHORTER[0]), SHORTER[1])
        return None


def _scaled(gradient: Float64, steps: deque[_Step]) -> Float64:
    """The gradient times what is known of the inverse of the curvature."""
    scaled, shares = gradient.copy(), []
    for step in reversed(steps):
        share = float(np.vdot(step.moved, scaled)) / step.product
        shares.append(share)
        scaled -= share * step.turned
    if steps:
        scaled *= steps[-1].product / float(np.vdot(steps[-1].turned, steps[-1].turned))
    for step, share in zip(steps, reversed(shares), strict=True):
        scaled += (share - float(np.vdot(step.turned, scaled)) / step.product) * step.moved
    return scaled
