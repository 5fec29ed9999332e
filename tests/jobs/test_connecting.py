"""Connections that are cut, on the event loop that the web runs on."""

import asyncio
from collections import Counter

import pytest

from benchmarks.fault_proxy import FaultProxy
from jobs.contract import Lane
from jobs.errors import QueueUnavailable
from jobs.redis_queue import RedisSubmitter
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
