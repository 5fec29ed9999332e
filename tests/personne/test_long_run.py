"""A long mixed run by real processes; `make long-run` is a hundred times as long."""

import pytest

from benchmarks.long_run import SLOW_KINDS, Size, measure

SIZE = Size(faces=1000, slow=10, callers=8, looks=1)
MOST_GROWN = 0.03
"""A process has not settled after so few requests; the long run allows a hundredth."""


@pytest.mark.timeout(1200)
def test_nothing_grows_and_nothing_fails(served: dict[str, str]) -> None:
    seen = measure(SIZE, print, served)
    assert seen.failed == {}
    assert seen.answers == {"face": SIZE.faces, **dict.fromkeys(SLOW_KINDS, SIZE.slow)}
    # Redis's pages follow how many results lay there at once, of 10 MB in all; what it counts itself is judged.
    assert set(seen.too_large(MOST_GROWN)) <= {"redis"}, seen.grown
    assert seen.looks[-1].redis_keys <= seen.looks[0].redis_keys
