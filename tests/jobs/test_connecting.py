"""Connections that are cut and servers that refuse, on the event loop that the web runs on."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
import redis

from benchmarks.fault_proxy import FaultProxy
from jobs.contract import Lane, WorkerBeat
from jobs.errors import QueueUnavailable
from jobs.redis_queue import RedisSource, RedisSubmitter
from tests.jobs.conftest import face
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio
ASKED = 400


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """uvloop, as uvicorn takes it, says some things in its own words."""
    return "asyncio", {"use_uvloop": True}


async def test_a_cut_connection_is_a_queue_out_of_reach_and_nothing_else(redis_server: RedisServer) -> None:
    # One time in a hundred the cut comes between a connection's being made and its first command.
    with FaultProxy(redis_server.port) as proxy:
        submitter = RedisSubmitter(f"redis://127.0.0.1:{proxy.port}/0")
        await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=1000)
        proxy.refuse()
        answers: Counter[type[Exception]] = Counter()
        for _ in range(ASKED):
            try:
                await submitter.state()
            except Exception as error:
                answers[type(error)] += 1
            await asyncio.sleep(0.001)
        assert answers == {QueueUnavailable: ASKED}
        proxy.mend()
        await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=1000)
        await submitter.close()


@pytest.mark.parametrize("cause", ["MISCONF", "NOREPLICAS"])
async def test_a_redis_that_refuses_writes_is_out_of_reach_at_both_ends(tmp_path: Path, cause: str) -> None:
    with RedisServer(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        submitter, source = RedisSubmitter(server.url), RedisSource(server.url, "w1")
        job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=10_000)
        source.take([Lane.SLOW], max_jobs=1, wait_ms=0)
        refuse_writes(client, tmp_path, cause)
        with pytest.raises(redis.exceptions.ResponseError, match=cause):
            client.set("anything", 1)
        with pytest.raises(QueueUnavailable, match=cause):
            await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=1000)
        assert source.take([Lane.QUICK], max_jobs=1, wait_ms=50) == []
        source.beat(WorkerBeat("w1", (), (), (Lane.QUICK,), "cpu", True))
        client.config_set("min-replicas-to-write", 0)
        client.config_set("stop-writes-on-bgsave-error", "no")
        (delivery,) = source.take([Lane.QUICK], max_jobs=1, wait_ms=1000)
        assert delivery.id == job_id
        source.close()
        await submitter.close()


def refuse_writes(client: "redis.Redis[bytes]", folder: Path, cause: str) -> None:
    if cause == "NOREPLICAS":
        client.config_set("min-replicas-to-write", 1)
        return
    # A snapshot that cannot be written, as on a full disk.
    client.config_set("appendonly", "no")
    client.config_set("save", "3600 1")
    (folder / "dump.rdb").mkdir()
    client.bgsave()
    while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
        time.sleep(0.02)


async def test_a_worker_of_another_release_is_left_out_and_told_of_once(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    submitter, source = RedisSubmitter(redis_url), RedisSource(redis_url, "w1")
    source.beat(WorkerBeat("w1", (), (), (Lane.QUICK,), "cpu", True))
    with redis.Redis.from_url(redis_url) as client:
        client.set("psn:beat:w2", b'{"version": 99, "worker_id": "w2"}')
        client.sadd("psn:workers", "w2")
    for _ in range(2):
        assert [beat.worker_id for beat in (await submitter.state()).workers] == ["w1"]
    assert len([line for line in caplog.messages if "w2" in line]) == 1
    source.close()
    await submitter.close()
