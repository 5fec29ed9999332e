"""What only a queue between processes can be asked: death, flush, restart, poison, outage."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from benchmarks.chaos import run_chaos
from jobs.contract import JobFailure, JobResult, Lane
from jobs.errors import QueueUnavailable
from jobs.redis_queue import RedisSource, RedisSubmitter
from tests.jobs.conftest import POLICY, face
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio
DONE = JobResult(b"picture", "image/png")
QUICK = (Lane.QUICK,)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that this test may kill."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
async def submitter(server: RedisServer) -> AsyncIterator[RedisSubmitter]:
    submitter = RedisSubmitter(server.url, POLICY)
    yield submitter
    await submitter.close()


@pytest.fixture
def source(server: RedisServer) -> Iterator[RedisSource]:
    source = RedisSource(server.url, "w1", POLICY)
    yield source
    source.close()


@contextmanager
def victim(server: RedisServer) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process that takes what there is and never ends with it."""
    options = ["--base-ms", "600000", "--lease", str(POLICY.lease_s)]
    command = [sys.executable, "-m", "benchmarks.simulated_worker", server.url, "victim", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


async def until_held_by(server: RedisServer, worker_id: str, deliveries: int) -> None:
    """Wait until a worker has been given the only job for the so-manieth time."""
    with redis.Redis.from_url(server.url) as client:
        for _ in range(1000):
            pending = client.xpending_range("psn:lane:quick", "workers", "-", "+", 1)
            if pending and (pending[0]["consumer"], pending[0]["times_delivered"]) == (worker_id.encode(), deliveries):
                return
            await asyncio.sleep(0.02)
    raise AssertionError(f"{worker_id} never got delivery {deliveries}")


async def test_the_jobs_of_a_killed_worker_are_anothers(
    server: RedisServer, submitter: RedisSubmitter, source: RedisSource
) -> None:
    assert source.take(QUICK, max_jobs=8, wait_ms=0) == []
    with victim(server) as process:
        job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=30_000)
        await until_held_by(server, "victim", 1)
        await asyncio.sleep(2 * POLICY.lease_s)
        assert source.take(QUICK, max_jobs=8, wait_ms=0) == [], "its lease is renewed while it works"
        process.kill()
        killed_at = time.monotonic()
    (delivery,) = await asyncio.to_thread(source.take, QUICK, max_jobs=8, wait_ms=10_000)
    # The benchmark measures the half second; a busy test machine is given more.
    assert time.monotonic() - killed_at < POLICY.lease_s + 3
    assert delivery.id == job_id
    assert delivery.delivery_count == 2
    source.finish(delivery, DONE)
    assert await submitter.wait(job_id, timeout_ms=2000) == DONE


async def test_a_job_that_kills_its_workers_is_given_up(
    server: RedisServer, submitter: RedisSubmitter, source: RedisSource
) -> None:
    assert source.take(QUICK, max_jobs=8, wait_ms=0) == []
    job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=60_000)
    for death in range(1, POLICY.max_deliveries + 1):
        with victim(server):
            await until_held_by(server, "victim", death)
    waiting = asyncio.create_task(submitter.wait(job_id, timeout_ms=20_000))
    await asyncio.sleep(POLICY.lease_s + 0.1)
    assert await asyncio.to_thread(source.take, QUICK, max_jobs=8, wait_ms=1000) == []
    outcome = await waiting
    assert isinstance(outcome, JobFailure)
    assert "given up" in outcome.reason
    assert "worker died" in outcome.reason
    with redis.Redis.from_url(server.url) as client:
        ((_, letter),) = client.xrange("psn:dead:quick")
        assert letter[b"id"].decode() == job_id
        assert b"worker died" in letter[b"reason"]
        assert client.xlen("psn:lane:quick") == 0


async def test_after_a_flush_all_goes_on(server: RedisServer, submitter: RedisSubmitter, source: RedisSource) -> None:
    assert source.take(QUICK, max_jobs=1, wait_ms=10) == []
    server.flush()
    job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=10_000)
    (delivery,) = await asyncio.to_thread(source.take, QUICK, max_jobs=1, wait_ms=5000)
    assert source.finish(delivery, DONE)
    assert await submitter.wait(job_id, timeout_ms=5000) == DONE


async def test_accepted_jobs_outlive_a_killed_redis(
    server: RedisServer, submitter: RedisSubmitter, source: RedisSource
) -> None:
    ids = [await submitter.submit(face(seed), lane=Lane.QUICK, timeout_ms=60_000) for seed in range(6)]
    waiting = [asyncio.create_task(submitter.wait(job_id, timeout_ms=60_000)) for job_id in ids]
    held = source.take(QUICK, max_jobs=2, wait_ms=1000)
    server.kill()
    began = time.monotonic()
    with pytest.raises(QueueUnavailable, match=r"redis://127\.0\.0\.1:\d+/0 cannot be reached"):
        await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=1000)
    assert time.monotonic() - began < 2
    assert source.take(QUICK, max_jobs=2, wait_ms=100) == [], "a worker waits, it does not fall"
    server.start()
    for delivery in held:
        assert source.finish(delivery, DONE)
    while taken := await asyncio.to_thread(source.take, QUICK, max_jobs=8, wait_ms=3000):
        for delivery in taken:
            assert source.finish(delivery, DONE)
    assert await asyncio.gather(*waiting) == [DONE] * 6


async def test_who_waits_through_a_restart_is_answered(
    server: RedisServer, submitter: RedisSubmitter, source: RedisSource
) -> None:
    job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=60_000)
    (delivery,) = source.take(QUICK, max_jobs=1, wait_ms=1000)
    waiting = asyncio.create_task(submitter.wait(job_id, timeout_ms=20_000))
    await asyncio.sleep(0.1)
    server.kill()
    await asyncio.sleep(0.5)
    server.start()
    assert await asyncio.to_thread(source.finish, delivery, DONE)
    assert await waiting == DONE


async def test_an_entry_that_cannot_be_read_is_buried(
    server: RedisServer, submitter: RedisSubmitter, source: RedisSource
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.xadd("psn:lane:quick", {"id": "strange", "job": '{"version": 99}', "deliveries": 0})
        client.xadd("psn:lane:quick", {"nothing": "known"})
        job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=10_000)
        (delivery,) = source.take(QUICK, max_jobs=8, wait_ms=1000)
        assert delivery.id == job_id
        source.finish(delivery, DONE)
        assert client.xlen("psn:lane:quick") == 0


async def test_nothing_stays_behind(server: RedisServer, submitter: RedisSubmitter, source: RedisSource) -> None:
    for seed in range(8):
        await submitter.submit(face(seed), lane=Lane.QUICK, timeout_ms=500, inputs={"photo": b"x"})
    for delivery in source.take(QUICK, max_jobs=8, wait_ms=1000):
        source.finish(delivery, DONE)
    with redis.Redis.from_url(server.url) as client:
        assert client.xlen("psn:lane:quick") == 0
        assert not client.keys("psn:inputs:*"), "uploads are gone with the job"
        await asyncio.sleep(POLICY.result_ttl_s + 0.5)
        assert {key for key in client.keys("*") if not key.startswith(b"psn:lane:")} == set()


@pytest.mark.timeout(180)
async def test_chaos(redis_url: str) -> None:
    report = await run_chaos(redis_url, jobs=2000, kills=10)
    assert report.kept, report
    assert report.kills == 10
    assert report.retries > 0, "no kill met a worker with a job in hand: this run showed nothing"
