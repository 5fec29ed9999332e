"""A queue over a Unix socket: the same machine, no port."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from jobs.contract import JobResult, Lane
from jobs.redis_queue import RedisSource, RedisSubmitter
from tests.jobs.conftest import POLICY, face
from tests.redis_server import executable

pytestmark = pytest.mark.anyio


@pytest.fixture
def address() -> Iterator[str]:
    # Not in tmp_path: the path of a socket has at most a hundred characters or so.
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "redis.sock"
        command = [executable(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            for _ in range(200):
                if socket.exists():
                    break
                time.sleep(0.05)
            with redis.Redis(unix_socket_path=str(socket)) as client:
                client.ping()
            yield f"unix://{socket}"
            server.kill()


async def test_a_job_goes_there_and_its_result_comes_back(address: str) -> None:
    submitter, source = RedisSubmitter(address, POLICY), RedisSource(address, "w1", POLICY)
    try:
        job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=10_000)
        (delivery,) = source.take((Lane.QUICK,), max_jobs=8, wait_ms=1000)
        source.finish(delivery, JobResult(b"picture", "image/png"))
        outcome = await submitter.wait(job_id, timeout_ms=5000)
    finally:
        source.close()
        await submitter.close()
    assert isinstance(outcome, JobResult)
    assert outcome.body == b"picture"
