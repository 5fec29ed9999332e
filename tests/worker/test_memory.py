"""How a worker's process holds memory, in processes of its own."""

import subprocess
import sys

import pytest

from worker import memory

CHURN = """
import ctypes, random, sys, threading
from pathlib import Path
from worker import memory

if sys.argv[1] == "flat":
    memory.keep_flat()

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

before = resident_mb()
small = []

def churn(number):
    draw = random.Random(number)
    for _ in range(150):
        large = [bytearray(draw.randrange(1 << 20, 6 << 20)) for _ in range(3)]
        small.append(bytearray(2000))
        del large

threads = [threading.Thread(target=churn, args=(number,)) for number in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(resident_mb() - before)
memory.give_back()
print(resident_mb() - before)
"""


def churned(how: str) -> list[float]:
    """By how many MB a process is larger after large buffers have come and gone, and after it has given back."""
    done = subprocess.run([sys.executable, "-c", CHURN, how], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="The C library of Linux.")
def test_large_buffers_that_have_gone_leave_no_memory_behind() -> None:
    flat, given_back = churned("flat")
    assert flat < 6
    assert given_back < flat + 1
    left, _ = churned("as it comes")
    assert left > 2 * flat


def test_an_idle_worker_gives_back_once_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[int]()
    monkeypatch.setattr(memory, "give_back", lambda: given.append(1))
    idle, counts = memory.IdleMemory(), list[int]()
    for done in (0, 1, 2, 2, 2, 3, 3, 3):
        idle.look(done)
        counts.append(len(given))
    assert counts == [0, 0, 0, 1, 1, 1, 2, 2]
