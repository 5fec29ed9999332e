"""Workers are killed with -9 while they work; no accepted job may be lost, and none written twice.

    python -m benchmarks.chaos --jobs 20000 --kills 45

A real redis-server, real processes. Exits with 1 when a promise is broken.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import redis.asyncio as redis

from jobs.contract import GenerateJob, JobId, JobResult, Lane, PictureFormat
from jobs.errors import QueueUnavailable
from jobs.queue import DEFAULT_POLICY
from jobs.redis_queue import RedisSubmitter
from tests.redis_server import RedisServer

WORKERS = 4
LEASE_S = 1.0
MAX_DELIVERIES = 10
"""Chance alone may kill a job's worker three times among so many; the limit is for jobs that do it themselves."""
IN_FLIGHT = 256
TIMEOUT_MS = 120_000


@dataclass
class Report:
    """What came of it. `lost` and `twice` are promised to be 0, and so is `left`: entries still in the lane."""

    jobs: int
    kills: int
    seconds: float
    lost: int
    wrong: int
    twice: int
    left: int
    retries: int

    @property
    def kept(self) -> bool:
        return self.lost == self.wrong == self.twice == self.left == 0


@dataclass
class Crowd:
    """Worker processes; one killed is replaced at once."""

    url: str
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    started: int = 0

    def start(self) -> None:
        self.started += 1
        options = ["--lease", str(LEASE_S), "--max-deliveries", str(MAX_DELIVERIES)]
        command = [sys.executable, "-m", "benchmarks.simulated_worker", self.url, f"w{self.started}", *options]
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    def kill_one(self) -> None:
        """The oldest: it has long been at work."""
        victim = self.processes.pop(0)
        victim.kill()
        victim.wait()
        self.start()

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


async def run_chaos(url: str, jobs: int, kills: int) -> Report:
    """Submit `jobs` jobs while `kills` workers die, one after each equal share of the jobs."""
    crowd = Crowd(url)
    for _ in range(WORKERS):
        crowd.start()
    policy = replace(DEFAULT_POLICY, lease_s=LEASE_S, max_deliveries=MAX_DELIVERIES)
    submitter = RedisSubmitter(url, policy)
    written = WrittenResults(url)
    counting = asyncio.create_task(written.count())
    began = time.monotonic()
    try:
        outcomes = await _submit_and_kill(submitter, crowd, jobs, kills)
        seconds = time.monotonic() - began
        state = await submitter.state()
        await written.settle(jobs)
    finally:
        # Not by a cancel: one that meets the end of a read is swallowed by the client, and the counting would go on.
        written.stopped = True
        await counting
        await written.close()
        await submitter.close()
        crowd.close()
    return Report(
        jobs=jobs,
        kills=crowd.started - WORKERS,
        seconds=seconds,
        lost=sum(body is None for body in outcomes.values()),
        wrong=sum(body is not None and body != str(seed).encode() for seed, body in outcomes.items()),
        twice=sum(times > 1 for times in written.times.values()),
        left=state.waiting[Lane.QUICK] + state.running[Lane.QUICK],
        retries=state.retries,
    )


async def _submit_and_kill(submitter: RedisSubmitter, crowd: Crowd, jobs: int, kills: int) -> dict[int, bytes | None]:
    room = asyncio.Semaphore(IN_FLIGHT)
    outcomes: dict[int, bytes | None] = {}
    kill_at = {round(jobs * (i + 1) / (kills + 1)) for i in range(kills)}

    async def one(seed: int) -> None:
        async with room:
            job = GenerateJob("0" * 16, seed, 0.7, 64, PictureFormat.PNG)
            job_id = await _accepted(submitter, job)
            outcome = await submitter.wait(job_id, timeout_ms=TIMEOUT_MS)
        outcomes[seed] = outcome.body if isinstance(outcome, JobResult) else None
        if len(outcomes) in kill_at:
            await asyncio.to_thread(crowd.kill_one)

    await asyncio.gather(*(one(seed) for seed in random.sample(range(2**32), jobs)))
    return outcomes


async def _accepted(submitter: RedisSubmitter, job: GenerateJob) -> JobId:
    """Submit until it is accepted: on a crowded machine Redis may need more than the second that a submit waits."""
    job_id = JobId(uuid.uuid4().hex)
    while True:
        try:
            return await submitter.submit(job, lane=Lane.QUICK, timeout_ms=TIMEOUT_MS, job_id=job_id)
        except QueueUnavailable:
            await asyncio.sleep(0.1)


class WrittenResults:
    """Counts, in Redis, how often each outcome was written: every write is one event in a stream of replies."""

    def __init__(self, url: str) -> None:
        self.times: Counter[bytes] = Counter()
        self.stopped = False
        self._client: Any = redis.Redis.from_url(url)

    async def count(self) -> None:
        last: dict[bytes, bytes] = {}
        while not self.stopped:
            async for key in self._client.scan_iter(match="psn:replies:*"):
                for _, entries in await self._client.xread({key: last.get(key, b"0-0")}) or ():
                    last[key] = entries[-1][0]
                    self.times.update(fields[b"id"] for _, fields in entries)
            await asyncio.sleep(0.05)

    async def settle(self, jobs: int) -> None:
        """Wait until as many events were seen as there are jobs, and a little longer for a second one of any."""
        give_up_at = time.monotonic() + 10
        while self.times.total() < jobs and time.monotonic() < give_up_at:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)

    async def close(self) -> None:
        await self._client.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=45)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        report = asyncio.run(run_chaos(server.url, args.jobs, args.kills))
    print(report)
    sys.exit(not report.kept)


if __name__ == "__main__":
    main()
