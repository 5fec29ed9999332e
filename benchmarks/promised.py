"""What the measurements of promises share."""

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.stage import Stage
from tests.personne.processes import Process

GIVE_UP_S = 30.0


@dataclass(frozen=True)
class Row:
    """One promise. asked: the most or least that keeps it. measured: in words."""

    promise: str
    asked: str
    measured: str
    is_kept: bool


@dataclass(frozen=True)
class Here:
    """Where a measurement is made. rounds: how often what can be repeated is."""

    stage: Stage
    client: httpx.Client
    rounds: int


def in_ms(seconds: list[float]) -> str:
    """Median and most."""
    return f"median {statistics.median(seconds) * 1000:.1f} ms, most {max(seconds) * 1000:.1f} ms of {len(seconds)}"


@contextmanager
def halted(worker: Process) -> Iterator[None]:
    """Nothing that waits is begun meanwhile."""
    worker.popen.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.popen.send_signal(signal.SIGCONT)


def until(happens: Callable[[], bool], every_s: float = 0.005) -> float:
    """The seconds until it does."""
    began = time.monotonic()
    while not happens():
        if time.monotonic() - began > GIVE_UP_S:
            raise SystemExit(f"It did not happen within {GIVE_UP_S:g} s.")
        time.sleep(every_s)
    return time.monotonic() - began


def submitted(client: httpx.Client, count: int = 1) -> str:
    """The address of a job of the slow lane that draws so many faces."""
    reply = client.post("/v1/datasets", json={"count": count, "seed": 1}, headers={"Prefer": "respond-async"})
    return reply.raise_for_status().headers["Location"]


def waiting(client: httpx.Client, lane: str) -> int:
    """How many jobs of a lane wait."""
    name = f'personne_queue_depth{{lane="{lane}"}} '
    line = next(line for line in client.get("/metrics").text.splitlines() if line.startswith(name))
    return int(float(line.removeprefix(name)))


def state(client: httpx.Client, address: str) -> str:
    """Of a job; `gone` when it is known no more."""
    reply = client.get(address)
    return reply.json()["state"] if reply.status_code == 200 else "gone"
