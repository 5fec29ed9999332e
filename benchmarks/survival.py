"""What becomes of the service while Redis or the network fails, and how long until all is well again.

    python -m benchmarks.survival [--outage 30] [--only outage,half-open] [--json FILE]

Real processes: redis-server, a proxy before it, `personne web` and two `personne worker` behind the proxy. Each fault
in turn, while somebody asks for /livez, /face and faces of certain seeds all the time, and while jobs wait that were
accepted before. Exits with 1 when a promise is broken: /livez is 200 throughout, /face always gives a face, what cannot
be made is refused with 503 within a second, no accepted job is lost, and all works again within five seconds unaided.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.fault_proxy import FaultProxy
from tests.personne.processes import ADDRESS, Process, personne, ready
from tests.redis_server import RedisServer

JOBS = 24  # accepted before each fault
READY_FACES = 16
ASK_EVERY_S = 0.1
WELL_AGAIN_S = 5.0
REFUSED_WITHIN_S = 1.0
SLACK_S = 0.3  # of a machine that runs all of it at once
LOSES_ALL = ("flush",)
"""Faults after which accepted jobs are gone, since nothing is left that could know them."""


class Stage:
    """All that runs. Whatever ends it ends all of it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._store = stack.enter_context(tempfile.TemporaryDirectory())
        self.server = stack.enter_context(RedisServer(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        self.proxy = stack.enter_context(FaultProxy(self.server.port))
        self._workers = deque[Process]()
        web = self._started("web", "--port", "0", "--ready-faces", str(READY_FACES))
        self.address = web.wait_for(ADDRESS)[1]
        for _ in range(2):
            self.start_worker()
        ready(self.address)

    def start_worker(self) -> None:
        self._workers.append(self._started("worker", "--threads", "1"))

    def kill_worker(self) -> None:
        """kill -9 of the one that has been at work longest."""
        self._workers.popleft().close()

    def _started(self, *arguments: str) -> Process:
        queue = f"redis://127.0.0.1:{self.proxy.port}/0"
        settings = {"PERSONNE_STORE": self._store}
        return self._stack.enter_context(personne(*arguments, "--queue", queue, env=settings))


@dataclass
class Answers:
    """What one address answered while a fault was in force: status codes, and seconds of those that were refusals."""

    codes: dict[int, int] = field(default_factory=dict)
    slowest_refusal_s: float = 0.0
    spare: int = 0

    def add(self, reply: httpx.Response, seconds: float) -> None:
        self.codes[reply.status_code] = self.codes.get(reply.status_code, 0) + 1
        if reply.status_code == 503:
            self.slowest_refusal_s = max(self.slowest_refusal_s, seconds)
        self.spare += "Personne-Spare" in reply.headers

    def others_than(self, *expected: int) -> int:
        return sum(times for code, times in self.codes.items() if code not in expected)


@dataclass
class Seen:
    """What a fault did. recovery_s: from its end to the first face that was made after it."""

    fault: str
    livez: Answers
    face: Answers
    made: Answers
    accepted: int
    lost: int
    recovery_s: float

    @property
    def broken(self) -> list[str]:
        """The promises that were."""
        found = {
            "/livez was not 200": self.livez.others_than(200) > 0,
            "/face gave none": self.face.others_than(200) > 0,
            # Who waited for a face when it began waits on, as long as any request may.
            "an answer was neither 200 nor 503": self.made.others_than(200, 503) > min(1, self.made.codes.get(504, 0)),
            "a refusal took over a second": self.made.slowest_refusal_s > REFUSED_WITHIN_S + SLACK_S,
            "an accepted job was lost": self.lost > 0,
            "not well within five seconds": self.recovery_s > WELL_AGAIN_S,
        }
        return [promise for promise, is_broken in found.items() if is_broken]


class Asking(threading.Thread):
    """Somebody who asks for an address again and again."""

    def __init__(self, address: str, path: Callable[[], str]) -> None:
        super().__init__(daemon=True)
        self.answers = Answers()
        self._path = path
        self._client = httpx.Client(base_url=address, timeout=60, trust_env=False)
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            reply = self._client.get(self._path())
            self.answers.add(reply, time.monotonic() - started)
            self._stopping.wait(ASK_EVERY_S)

    def stop(self) -> Answers:
        self._stopping.set()
        self.join()
        self._client.close()
        return self.answers


_seeds = count(1)


def next_face() -> str:
    """A face that nobody asked for before, so that it must be made."""
    return f"/v1/faces/{next(_seeds)}.png"


@contextmanager
def refused(stage: Stage) -> Iterator[None]:
    with stage.proxy.refusing():
        yield


@contextmanager
def half_open(stage: Stage) -> Iterator[None]:
    stage.proxy.swallow()
    yield
    stage.proxy.mend()


@contextmanager
def slow(stage: Stage) -> Iterator[None]:
    stage.proxy.delay(0.1)
    yield
    stage.proxy.mend()


@contextmanager
def redis_killed(stage: Stage) -> Iterator[None]:
    stage.server.kill()
    yield
    stage.server.start()


@contextmanager
def worker_killed(stage: Stage) -> Iterator[None]:
    stage.kill_worker()
    yield
    stage.start_worker()


@contextmanager
def flushed(stage: Stage) -> Iterator[None]:
    stage.server.flush()
    yield


@contextmanager
def configured(stage: Stage, setting: str) -> Iterator[None]:
    """A setting of Redis by which it reads on and writes nothing."""
    with redis.Redis.from_url(stage.server.url) as client:
        client.config_set(setting, 1)
        yield
        client.config_set(setting, 0)


FAULTS = {
    "outage": refused,
    "half-open": half_open,
    "latency 100 ms": slow,
    "redis kill -9": redis_killed,
    "worker kill -9": worker_killed,
    "flush": flushed,
    "memory full": partial(configured, setting="maxmemory"),
    "replicas gone": partial(configured, setting="min-replicas-to-write"),
}


def see(name: str, stage: Stage, seconds: float) -> Seen:
    """One fault, for so long."""
    with httpx.Client(base_url=stage.address, timeout=60, trust_env=False) as client:
        jobs = [accepted(client) for _ in range(JOBS)]
        asking = [Asking(stage.address, path) for path in (lambda: "/livez", lambda: "/face", next_face)]
        for one in asking:
            one.start()
        with FAULTS[name](stage):
            time.sleep(seconds)
        recovery_s = until_well(client)
        livez, face, made = (one.stop() for one in asking)
        lost = 0 if name in LOSES_ALL else sum(not is_done(client, job) for job in jobs)
    return Seen(name, livez, face, made, len(jobs), lost, recovery_s)


def accepted(client: httpx.Client) -> str:
    """The address of a job that was accepted and that nobody waits for."""
    reply = client.post("/v1/jobs", json={"kind": "generate", "seed": str(next(_seeds))})
    reply.raise_for_status()
    return reply.headers["Location"]


def is_done(client: httpx.Client, job: str) -> bool:
    """Whether the job ends with its picture; given 30 seconds, since dead workers' leases must pass first."""
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        reply = client.get(job)
        if reply.status_code == 404 or (reply.status_code == 200 and reply.json()["state"] in ("failed", "cancelled")):
            return False
        if reply.status_code == 200 and reply.json()["state"] == "done":
            return client.get(f"{job}/result").status_code == 200
        time.sleep(0.2)
    return False


def until_well(client: httpx.Client) -> float:
    """Seconds until a face is made again."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        if client.get(next_face()).status_code == 200:
            break
        time.sleep(0.05)
    return time.monotonic() - began


def table_of(rows: list[Seen], seconds: float) -> Table:
    """For people."""
    table = Table(title=f"Faults of {seconds:g} s")
    for heading in ("fault", "/livez", "/face (spare)", "made", "slowest 503", "lost", "well after", "broken"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            row.fault,
            _codes(row.livez),
            f"{_codes(row.face)} ({row.face.spare})",
            _codes(row.made),
            f"{row.made.slowest_refusal_s:.2f} s",
            "all, by nature" if row.fault in LOSES_ALL else f"{row.lost} of {row.accepted}",
            f"{row.recovery_s:.2f} s",
            "; ".join(row.broken) or "none",
        )
    return table


def _codes(answers: Answers) -> str:
    return ", ".join(f"{times} x {code}" for code, times in sorted(answers.codes.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outage", type=float, default=30.0, help="seconds that each fault lasts (30)")
    parser.add_argument("--only", help=f"some of: {', '.join(FAULTS)}; with commas between")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    rows = []
    with ExitStack() as stack:
        stage = Stage(stack)
        for name in options.only.split(",") if options.only else FAULTS:
            rows.append(see(name, stage, options.outage))
            print(name, rows[-1].broken or "kept", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows]))
    Console().print(table_of(rows, options.outage))
    sys.exit(any(row.broken for row in rows))


if __name__ == "__main__":
    main()
