"""Memory that a step frees is there for the next one, and for others when the run is over."""

import subprocess
import sys

import pytest

SCRIPT = """
import contextlib, resource, sys
import torch
from training.allocator import freed_memory_kept

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(60):
        torch.ones(16 * 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident_mb():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) // 1024

before, mb_before = faults(), resident_mb()
with freed_memory_kept() as keeps:
    if not keeps:
        sys.exit(3)
    within, mb_within = faults(), resident_mb()
print(before, within, mb_before, mb_within, resident_mb())
"""


@pytest.fixture(scope="module")
def told() -> list[int]:
    """Pages that the kernel had to find while 64 MB were taken and freed sixty times, before and in it; and the
    megabytes that the process held before, in it and after."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("the C library's allocator takes no advice")
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_freed_memory_is_not_asked_for_again(told: list[int]) -> None:
    before, within = told[:2]
    assert within < before / 4


def test_what_comes_after_has_its_memory_back(told: list[int]) -> None:
    before, within, after = told[2:]
    assert within > before + 60, "or nothing would have been kept"
    assert after < before + 10
