"""Every web and every worker is replaced while somebody asks all the time: no request may fail.

    python -m benchmarks.restarts [--callers 8] [--seconds 5] [--json FILE]

Real processes: redis-server, two `personne web`, two `personne worker`. One after the other is told to end (SIGTERM)
once its successor is there. Callers go from one web to the other as a balancer does that knows nothing of their health:
a connection refused, or closed before a second request on it was begun to be answered, sends them to the next. Exits
with 1 when a request failed or a process needed more than 30 seconds to end.
"""

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from benchmarks.connection import Client, connect
from benchmarks.stage import Stage, ended_by_sigterm
from tests.personne.processes import Process

ENDS_WITHIN_S = 30.0
ANSWER_WITHIN_S = 60.0


@dataclass
class Answers:
    """What callers saw. faces: those that were answered. again: requests that were sent to another web, since their
    connection had been closed. failed: all else, by what it was."""

    faces: int = 0
    again: int = 0
    slowest_s: float = 0.0
    failed: Counter[str] = field(default_factory=Counter)


@dataclass
class Replaced:
    """One process that was told to end. ended_s: how long it took."""

    name: str
    ended_s: float
    status: int | None
    answers: Answers

    @property
    def is_kept(self) -> bool:
        """Whether every promise was."""
        answers = self.answers
        return self.status == 0 and self.ended_s <= ENDS_WITHIN_S and not answers.failed and answers.faces > 0


class Callers(threading.Thread):
    """So many at once, each of whom asks for one face after the other. ports: of the webs; may change meanwhile."""

    def __init__(self, ports: list[int], count: int) -> None:
        super().__init__(daemon=True)
        self.ports = ports
        self.answers = Answers()
        self._count = count
        self._over = False
        self._seed = random.randrange(2**40)

    def run(self) -> None:
        asyncio.run(self._all())

    def stop(self) -> None:
        """Returns when all have their last answer."""
        self._over = True
        self.join()

    async def _all(self) -> None:
        await asyncio.gather(*(self._call(number) for number in range(self._count)))

    async def _call(self, number: int) -> None:
        client: Client | None = None
        while not self._over:
            self._seed += 1
            path, began = f"/v1/faces/{self._seed}.jpg", time.monotonic()
            reused, client = client, None
            if reused is not None:
                client = await self._asked(reused, path, is_fresh=False)
            while client is None and not self._over:
                number += 1
                fresh = await self._connected(self.ports[number % len(self.ports)])
                if fresh is not None:
                    client = await self._asked(fresh, path, is_fresh=True)
                    break
            self.answers.slowest_s = max(self.answers.slowest_s, time.monotonic() - began)
        if client is not None:
            await client.closed()

    async def _connected(self, port: int) -> Client | None:
        try:
            return await connect(port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
            return None

    async def _asked(self, client: Client, path: str, *, is_fresh: bool) -> Client | None:
        """The same connection where it may be used again."""
        try:
            status, head, body = await asyncio.wait_for(client.exchange(path), ANSWER_WITHIN_S)
        except (EOFError, OSError, TimeoutError) as error:
            await client.closed()
            if is_fresh or isinstance(error, TimeoutError) or getattr(error, "partial", b""):
                self.answers.failed[type(error).__name__] += 1
            else:
                self.answers.again += 1
            return None
        if status == 200:
            self.answers.faces += 1
        else:
            self.answers.failed[f"{status}: {body[:200].decode(errors='replace')}"] += 1
        if "\r\nconnection: close\r\n" in head:
            await client.closed()
            return None
        return client


@dataclass
class Fleet:
    """Two webs and two workers."""

    stage: Stage
    callers: int
    webs: list[tuple[Process, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.webs += [(self.stage.web, self.stage.address), self.stage.start_web()]
        self._until_live(2)

    @property
    def ports(self) -> list[int]:
        return [urlsplit(address).port or 0 for _, address in self.webs]

    @contextmanager
    def asked(self) -> Iterator[Callers]:
        """While this lasts, callers ask."""
        callers = Callers(self.ports, self.callers)
        callers.start()
        try:
            yield callers
        finally:
            callers.stop()

    def replace_worker(self, seconds: float) -> Replaced:
        """The one that has been at work longest."""
        with self.asked() as callers:
            old = self.stage.workers.pop(0)
            self.stage.workers.append(self.stage.start_worker())
            self._until_live(3)
            time.sleep(seconds / 2)
            ended_s = old.stop()
            time.sleep(seconds / 2)
        self._until_live(2)
        return Replaced("worker", ended_s, old.popen.returncode, callers.answers)

    def replace_web(self, seconds: float) -> Replaced:
        """The one that has been there longest."""
        with self.asked() as callers:
            self.webs.append(self.stage.start_web())
            callers.ports = self.ports
            time.sleep(seconds / 2)
            old, _ = self.webs[0]
            ended_s = old.stop()
            time.sleep(seconds / 2)
        del self.webs[0]
        return Replaced("web", ended_s, old.popen.returncode, callers.answers)

    def _until_live(self, count: int) -> None:
        """Until so many workers are warm."""
        give_up_at, live = time.monotonic() + 60, set[str]()
        while time.monotonic() < give_up_at:
            listed = httpx.get(f"{self.webs[-1][1]}/v1/models", timeout=30).json()["models"]
            live = {worker["id"] for model in listed for worker in model["workers"] or () if worker["warm"]}
            if len(live) == count:
                return
            time.sleep(0.1)
        raise SystemExit(f"{len(live)} workers are warm, not {count}")


def measure(callers: int, seconds: float, settings: dict[str, str] | None = None) -> list[Replaced]:
    """All workers are replaced, then all webs."""
    with ExitStack() as stack:
        fleet = Fleet(Stage(stack, settings, workers=2), callers)
        workers = [fleet.replace_worker(seconds) for _ in range(2)]
        return workers + [fleet.replace_web(seconds) for _ in range(2)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0, help="of load around each end (5)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    ended_by_sigterm()
    seen = measure(options.callers, options.seconds)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in seen]))
    for one in seen:
        told = f"{one.answers.faces} faces, slowest {one.answers.slowest_s:.2f} s, {one.answers.again} sent again"
        failed = ", ".join(f"{times} x {what}" for what, times in one.answers.failed.items()) or "none"
        Console().print(f"{one.name}: ended after {one.ended_s:.2f} s with {one.status}; {told}; failed: {failed}")
    sys.exit(not all(one.is_kept for one in seen))


if __name__ == "__main__":
    main()
