"""The measurement of promises, once each: what is no matter of time holds on any machine."""

import pytest

from benchmarks.promises import ALL, measure

UNTIMED = {
    "the same seed again, and among others",
    "a photo comes back as large as it was",
    "a body without end is cut at the limit",
}


@pytest.mark.timeout(600)
def test_every_promise_is_measured_and_those_without_a_clock_are_kept() -> None:
    rows = {row.promise: row for row in measure(2, print)}
    assert len(rows) == len(ALL)
    assert {name for name in UNTIMED if rows[name].is_kept} == UNTIMED, [rows[name].measured for name in UNTIMED]
