"""What the queue costs, on a real redis-server, with an engine that only sleeps: 4 ms a batch + 0.3 ms a job.

    python -m benchmarks.queue [--seconds 5] [--turns 200] [--deaths 5]

Three figures, each beside what it is to reach:
  rate      jobs/s that one worker process drains from a full lane, at batches of 1, 8 and 32
  overhead  submit to result for one job at a time, less the engine's own time; beside it a bare round trip to the same
            Redis, which tells how busy the machine is with other things
  takeover  from kill -9 of a worker with eight jobs in hand until another has done them all (lease 3 s)
"""

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import redis.asyncio as redis

from jobs.contract import GenerateJob, JobResult, Lane, PictureFormat
from jobs.queue import DEFAULT_POLICY
from jobs.redis_queue import RedisSubmitter
from tests.redis_server import RedisServer

BASE_MS = 4.0
ITEM_MS = 0.3
BATCHES = (1, 8, 32)
LANE_CAP = 100_000
TIMEOUT_MS = 300_000
LEASE_S = 3.0
POLICY = replace(DEFAULT_POLICY, lane_caps=dict.fromkeys(Lane, LANE_CAP), lease_s=LEASE_S)


@contextmanager
def worker(url: str, name: str, *, batch: int, base_ms: float = BASE_MS) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that takes; killed at the end."""
    options = ["--batch", str(batch), "--base-ms", str(base_ms), "--item-ms", str(ITEM_MS), "--lease", str(LEASE_S)]
    command = [sys.executable, "-m", "benchmarks.simulated_worker", url, name, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError(f"The worker {name} did not start.")
            yield process
        finally:
            process.kill()


def engine_alone(batch: int) -> float:
    """Jobs/s without any queue."""
    return 1000 * batch / (BASE_MS + ITEM_MS * batch)


def face(seed: int) -> GenerateJob:
    return GenerateJob("0" * 16, seed, 0.7, 64, PictureFormat.PNG)


async def measure_rate(server: RedisServer, batch: int, seconds: float) -> float:
    """Jobs/s while one worker drains a lane that is full before it starts."""
    server.flush()
    submitter = RedisSubmitter(server.url, POLICY)
    # More than the engine alone could do, so that the lane is never empty.
    jobs = int(seconds * engine_alone(batch)) + 256
    for start in range(0, jobs, 256):
        many = (submitter.submit(face(start + i), lane=Lane.QUICK, timeout_ms=TIMEOUT_MS) for i in range(256))
        await asyncio.gather(*many)
    with worker(server.url, f"rate-{batch}", batch=batch):
        before, began = (await submitter.state()).waiting[Lane.QUICK], time.monotonic()
        await asyncio.sleep(seconds)
        after, took_s = (await submitter.state()).waiting[Lane.QUICK], time.monotonic() - began
    await submitter.close()
    return (before - after) / took_s


async def measure_overhead(server: RedisServer, turns: int) -> list[float]:
    """Milliseconds from submit to result beyond the engine's, one job at a time."""
    server.flush()
    submitter = RedisSubmitter(server.url, POLICY)
    beyond_ms = []
    with worker(server.url, "overhead", batch=8):
        for turn in range(turns + 10):
            began = time.monotonic()
            job_id = await submitter.submit(face(turn), lane=Lane.QUICK, timeout_ms=TIMEOUT_MS)
            await submitter.wait(job_id, timeout_ms=TIMEOUT_MS)
            beyond_ms.append((time.monotonic() - began) * 1000 - BASE_MS - ITEM_MS)
    await submitter.close()
    return beyond_ms[10:]  # the first ones open connections and load scripts


async def measure_round_trip(server: RedisServer, turns: int) -> list[float]:
    """Milliseconds of a PING."""
    trips_ms = []
    async with redis.Redis.from_url(server.url) as client:
        for _ in range(turns):
            began = time.monotonic()
            await client.ping()
            trips_ms.append((time.monotonic() - began) * 1000)
            await asyncio.sleep((BASE_MS + ITEM_MS) / 1000)
    return trips_ms


async def measure_takeover(server: RedisServer) -> float:
    """Seconds from a worker's death until another has done the eight jobs that it held."""
    server.flush()
    submitter = RedisSubmitter(server.url, POLICY)
    with worker(server.url, "victim", batch=8, base_ms=600_000) as victim:
        submits = (submitter.submit(face(seed), lane=Lane.QUICK, timeout_ms=TIMEOUT_MS) for seed in range(8))
        ids = await asyncio.gather(*submits)
        while (await submitter.state()).running[Lane.QUICK] == 0:
            await asyncio.sleep(0.01)
        with worker(server.url, "heir", batch=8):
            # Anywhere between two renewals of the lease.
            await asyncio.sleep(LEASE_S + random.random() * LEASE_S / 3)
            victim.kill()
            killed_at = time.monotonic()
            outcomes = await asyncio.gather(*(submitter.wait(job_id, timeout_ms=60_000) for job_id in ids))
            took_s = time.monotonic() - killed_at
    await submitter.close()
    if not all(isinstance(outcome, JobResult) for outcome in outcomes):
        raise RuntimeError(f"A job was lost: {outcomes}.")
    return took_s


def report_rates(rates: Sequence[float]) -> None:
    print(f"{'batch':>8} {'jobs/s':>8} {'engine alone':>13} {'share':>6} {'times batch 1':>14}")
    for batch, rate in zip(BATCHES, rates, strict=True):
        share = rate / engine_alone(batch)
        print(f"{batch:8d} {rate:8.0f} {engine_alone(batch):13.0f} {share:6.0%} {rate / rates[0]:14.1f}")
    print("to reach: batch 8 at least 4 times batch 1")


def report(name: str, values: Sequence[float], unit: str, goal: str) -> None:
    ordered = sorted(values)
    print(
        f"{name}: median {statistics.median(ordered):.2f} {unit}, least {ordered[0]:.2f}, most {ordered[-1]:.2f} "
        f"({len(ordered)} times); to reach: {goal}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="for each batch size")
    parser.add_argument("--turns", type=int, default=200, help="jobs one at a time")
    parser.add_argument("--deaths", type=int, default=5, help="workers killed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        report_rates([asyncio.run(measure_rate(server, batch, args.seconds)) for batch in BATCHES])
        report("round trip", asyncio.run(measure_round_trip(server, args.turns)), "ms", "nothing, it is the machine's")
        overhead_ms = asyncio.run(measure_overhead(server, args.turns))
        report("overhead", overhead_ms, "ms", "at most 5 ms at the median")
        takeover_s = [asyncio.run(measure_takeover(server)) for _ in range(args.deaths)]
        report("takeover", takeover_s, "s", f"at most {LEASE_S + 0.5:g} s")


if __name__ == "__main__":
    main()
