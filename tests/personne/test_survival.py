"""What the service promises while Redis or the network fails, by real processes; `make survival` has longer faults."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.survival import FAULTS, Stage, see

SECONDS = 3.0


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(stack)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_no_promise(stage: Stage, fault: str) -> None:
    seen = see(fault, stage, SECONDS)
    assert seen.broken == []
    assert seen.livez.codes
    assert seen.face.codes
    assert seen.made.codes
