"""Promises about jobs: how soon they begin, tell of themselves and end."""

import statistics
import time
from collections.abc import Iterator

import httpx
import redis

from benchmarks.promised import Here, Row, halted, in_ms, state, submitted, until, waiting
from jobs.redis_queue.keys import script

SUBMITS = 1000
STEADY = 100
FRESH_WORKERS = 3
LARGE = 2000
BATCH = 8


def first_after_ready(here: Here) -> Iterator[Row]:
    """Each time with a worker that has just come up, and is alone."""
    (last,) = here.stage.workers
    ratios = list[float]()
    for number in range(min(here.rounds, FRESH_WORKERS)):
        last.stop()
        until(lambda: here.client.get("/readyz").status_code == 503)
        last = here.stage.start_worker()
        until(lambda: here.client.get("/readyz").status_code == 200)
        times = [_face(here.client, 10_000 * (number + 1) + seed) for seed in range(STEADY + 1)]
        ratios.append(times[0] / statistics.median(times[1:]))
    here.stage.workers[:] = [last]
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    yield Row(
        "the first face of a ready worker", "1.2 times the median after it", told, statistics.median(ratios) <= 1.2
    )


def submit_at_redis(here: Here) -> Iterator[Row]:
    """By Redis's own clock."""
    with redis.Redis.from_url(here.stage.server.url) as server:
        digest = server.register_script(script("submit")).sha.encode()
        server.config_set("slowlog-log-slower-than", 0)
        server.config_set("slowlog-max-len", 100 * SUBMITS)
        server.slowlog_reset()
        for seed in range(min(SUBMITS, 50 * here.rounds)):
            _face(here.client, 10**6 + seed)
        took_us = [each["duration"] for each in server.slowlog_get(100 * SUBMITS) if digest in each["command"]]
        server.config_set("slowlog-log-slower-than", -1)
    p99_ms = statistics.quantiles(took_us, n=100)[98] / 1000
    told = f"p99 {p99_ms:.2f} ms, median {statistics.median(took_us) / 1000:.2f} ms of {len(took_us)}"
    yield Row("what a submit takes of Redis", "p99 1 ms", told, p99_ms <= 1)


def cancel_waiting(here: Here) -> Iterator[Row]:
    took = list[float]()
    for _ in range(here.rounds):
        with halted(here.stage.workers[0]):
            job = submitted(here.client)
            began = time.monotonic()
            here.client.delete(job).raise_for_status()
            until(
                lambda job=job: state(here.client, job) in ("cancelled", "gone") and waiting(here.client, "slow") == 0
            )  # type: ignore[misc]
            took.append(time.monotonic() - began)
    yield Row("a waiting job is cancelled", "100 ms", in_ms(took), max(took) <= 0.1)


def cancel_running(here: Here) -> Iterator[Row]:
    """Until the one behind it runs."""
    faces_s = [_batch(here.client) for _ in range(5)]
    took = list[float]()
    for _ in range(here.rounds):
        first = submitted(here.client, LARGE)
        until(lambda job=first: state(here.client, job) == "running")  # type: ignore[misc]
        second = submitted(here.client)
        began = time.monotonic()
        here.client.delete(first).raise_for_status()
        until(lambda job=second: state(here.client, job) in ("running", "done"))  # type: ignore[misc]
        took.append(time.monotonic() - began)
        until(lambda job=second: state(here.client, job) == "done")  # type: ignore[misc]
    batch_s = statistics.median(faces_s)
    told = f"{in_ms(took)}; {BATCH} faces take {batch_s * 1000:.0f} ms"
    # Beside the batch: to be told, to notice, and to begin the next.
    yield Row(
        "a running job is cancelled, and the next one runs", "one batch", told, statistics.median(took) <= batch_s + 0.1
    )


def client_gone(here: Here) -> Iterator[Row]:
    took = list[float]()
    for number in range(here.rounds):
        with halted(here.stage.workers[0]):
            try:
                here.client.get(f"/v1/faces/{9_000_000 + number}.jpg", timeout=httpx.Timeout(5, read=0.2))
            except httpx.ReadTimeout:
                took.append(until(lambda: waiting(here.client, "quick") == 0))
    yield Row("who waits leaves, and the job is dropped", "1 s", in_ms(took), max(took) <= 1)


def first_event(here: Here) -> Iterator[Row]:
    took = list[float]()
    for _ in range(here.rounds):
        job = submitted(here.client)
        began = time.monotonic()
        with here.client.stream("GET", f"{job}/events") as reply:
            next(line for line in reply.iter_lines() if line.startswith("event:"))
            took.append(time.monotonic() - began)
        until(lambda job=job: state(here.client, job) == "done")  # type: ignore[misc]
    yield Row("the first event of a job", "100 ms", in_ms(took), max(took) <= 0.1)


def _face(client: httpx.Client, seed: int) -> float:
    began = time.monotonic()
    client.get(f"/v1/faces/{seed}.jpg").raise_for_status()
    return time.monotonic() - began


def _batch(client: httpx.Client) -> float:
    """What one batch of a data set takes: the difference of two and one."""
    times = list[float]()
    for count in (BATCH, 2 * BATCH):
        began = time.monotonic()
        client.post("/v1/datasets", json={"count": count}, headers={"Prefer": "wait=30"}).raise_for_status()
        times.append(time.monotonic() - began)
    return max(times[1] - times[0], 0.0)
