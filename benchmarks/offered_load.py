"""Load from a process of its own: so many requests a second whatever comes of them, or so many callers in turn.

python -m benchmarks.offered_load --port 8000 --seconds 20 --rate 300    (open loop)
python -m benchmarks.offered_load --port 8000 --seconds 20 --callers 16  (closed loop)
Prints what came of it as JSON.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from benchmarks.connection import Client, connect

ANSWER_WITHIN_S = 60.0
CONNECT_WITHIN_S = 10.0
IDLE_AT_MOST_S = 2.0
"""Webs close a connection on which nothing was asked for five seconds."""


Timed = tuple[float, float]


@dataclass
class Offered:
    """What came of it.

    answered, refused: faces and proper refusals, each as the second in which it was sent and the milliseconds until it
    was there. late: likewise how long after its time each was sent, for want of processor. others: what was neither, by
    what it was.
    """

    seconds: float = 0.0
    answered: list[Timed] = field(default_factory=list)
    refused: list[Timed] = field(default_factory=list)
    late: list[Timed] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)

    def between(self, begin_s: float, end_s: float) -> "Offered":
        """What was sent in that time."""
        parts = (
            [one for one in part if begin_s <= one[0] < end_s] for part in (self.answered, self.refused, self.late)
        )
        return Offered(end_s - begin_s, *parts, self.others)

    @property
    def answered_ms(self) -> list[float]:
        return [one[1] for one in self.answered]

    @property
    def refused_ms(self) -> list[float]:
        return [one[1] for one in self.refused]

    @property
    def late_ms(self) -> list[float]:
        return [one[1] for one in self.late]

    @property
    def rate(self) -> float:
        """Faces a second."""
        return len(self.answered) / self.seconds


class Load:
    """Requests for faces that nobody asked for before, or for one path again and again."""

    def __init__(self, port: int, path: str | None = None) -> None:
        self._port = port
        self._path = path
        self._idle: list[tuple[float, Client]] = []
        self._others: Counter[str] = Counter()
        self._began = time.perf_counter()
        self._answered: list[Timed] = []
        self._refused: list[Timed] = []
        self._seed = random.randrange(2**40)

    async def open_loop(self, rate: float, seconds: float) -> Offered:
        """At an even pace, each on a connection that is free, else on a new one."""
        began, sending, late = self._began, set[asyncio.Task[None]](), list[Timed]()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late.append((due - began, (time.perf_counter() - due) * 1000))
            task = asyncio.create_task(self._ask())
            sending.add(task)
            task.add_done_callback(sending.discard)
        await asyncio.gather(*sending)
        return Offered(seconds, self._answered, self._refused, late, dict(self._others))

    async def closed_loop(self, callers: int, seconds: float) -> Offered:
        """Each caller asks again as soon as it has its answer."""

        async def call() -> None:
            while time.perf_counter() < self._began + seconds:
                await self._ask()

        await asyncio.gather(*(call() for _ in range(callers)))
        elapsed_s = time.perf_counter() - self._began
        return Offered(elapsed_s, self._answered, self._refused, [], dict(self._others))

    async def _ask(self) -> None:
        self._seed += 1
        sent = time.perf_counter()
        try:
            client = self._free() or await asyncio.wait_for(connect(self._port), CONNECT_WITHIN_S)
            path = self._path or f"/v1/faces/{self._seed}.jpg"
            status, head, body = await asyncio.wait_for(client.exchange(path), ANSWER_WITHIN_S)
        except (OSError, EOFError, TimeoutError) as error:
            self._others[type(error).__name__] += 1
            return
        timed = (sent - self._began, (time.perf_counter() - sent) * 1000)
        if "\r\nconnection: close\r\n" in head:
            client.close()
        else:
            self._idle.append((time.perf_counter(), client))
        if status == 200:
            self._answered.append(timed)
        elif is_proper_refusal(status, head, body):
            self._refused.append(timed)
        else:
            self._others[f"{status}: {body[:200].decode(errors='replace')}"] += 1

    def _free(self) -> Client | None:
        """The connection that was used last, unless the web may be about to close it."""
        while self._idle:
            since, client = self._idle.pop()
            if time.perf_counter() - since < IDLE_AT_MOST_S:
                return client
            client.close()
        return None


def is_proper_refusal(status: int, head: str, body: bytes) -> bool:
    """503 as a problem document that says when to come again. head: in lower case."""
    tells_when = "\r\nretry-after: " in head
    is_problem = "\r\ncontent-type: application/problem+json" in head
    return status == 503 and tells_when and is_problem and json.loads(body)["status"] == 503


def offered(
    port: int, seconds: float, *, rate: float | None = None, callers: int = 1, path: str | None = None
) -> Offered:
    """The load of another process, once it is over."""
    command = [sys.executable, "-m", "benchmarks.offered_load", "--port", str(port), "--seconds", str(seconds)]
    command += ["--callers", str(callers)] if rate is None else ["--rate", str(rate)]
    command += [] if path is None else ["--path", path]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return Offered(**json.loads(printed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, help="requests a second")
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--path", help="instead of faces")
    options = parser.parse_args()
    load = Load(options.port, options.path)
    asking = (
        load.closed_loop(options.callers, options.seconds)
        if options.rate is None
        else load.open_loop(options.rate, options.seconds)
    )
    print(json.dumps(asdict(asyncio.run(asking))))


if __name__ == "__main__":
    main()
