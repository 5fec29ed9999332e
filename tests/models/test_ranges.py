"""Strengths that each seed draws for itself."""

import pytest

from models.ranges import drawn_edits, read_range


@pytest.mark.parametrize(
    ("text", "ends"),
    [("1.5", (1.5, 1.5)), ("-2..1.5", (-2.0, 1.5)), ("3..-1", (-1.0, 3.0)), ("+1..2", (1.0, 2.0))],
)
def test_a_range_is_read(text: str, ends: tuple[float, float]) -> None:
    assert read_range(text) == ends


@pytest.mark.parametrize("text", ["", "..", "1..", "a..b", "1...2", "nan", "1e3", "٣"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no range of strengths"):
        read_range(text)


def test_a_seed_draws_its_own_and_the_same_again() -> None:
    ranges = (("age", -2.0, 2.0), ("smile", 1.0, 1.0))
    drawn = [dict(drawn_edits(ranges, seed)) for seed in range(200)]
    assert drawn == [dict(drawn_edits(ranges, seed)) for seed in range(200)]
    assert {one["smile"] for one in drawn} == {1.0}
    ages = [one["age"] for one in drawn]
    assert -2 <= min(ages) < -1.5
    assert 1.5 < max(ages) <= 2
    assert drawn_edits((("age", 0.0, 0.0),), 7) == ()
