"""`personne webhooks` as a process, between a queue on Redis and somebody who wants to be told."""

import asyncio
import json
import re
import signal
import threading

import pytest
from pydantic import SecretStr

from jobs.contract import JobResult, Lane
from jobs.memory_queue import MemoryQueue
from jobs.notices import Notice
from jobs.redis_queue import RedisSource, RedisSubmitter
from personne.run_webhooks import told_beside
from personne.settings import Settings
from tests.app.service import until
from tests.jobs.conftest import POLICY, face
from tests.personne.processes import personne
from tests.webhook_listener import Listener

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105


def test_the_end_of_a_job_is_told(redis_url: str, listener: Listener) -> None:
    async def job() -> str:
        submitter, source = RedisSubmitter(redis_url, POLICY), RedisSource(redis_url, "w1", POLICY)
        job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=9000, webhook=listener.url)
        (delivery,) = source.take([Lane.QUICK], max_jobs=1, wait_ms=1000)
        source.finish(delivery, JobResult(b"picture", "image/png"))
        source.close()
        await submitter.close()
        return job_id

    env = {"PERSONNE_WEBHOOK_SECRET": SECRET, "PERSONNE_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with personne("webhooks", "--queue", redis_url, env=env) as process:
        process.wait_for(re.compile("webhooks are told"))
        job_id = asyncio.run(job())
        until(lambda: len(listener.came) == 1, timeout_s=20)
        assert process.stop(signal.SIGTERM) < 10
        assert process.popen.returncode == 0, process.said
    assert json.loads(listener.came[0][1])["data"]["id"] == job_id


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_telling_that_ended_by_itself_is_no_error_at_the_end() -> None:
    async def take(_: float) -> Notice | None:
        raise OSError("out of order")

    submitter = MemoryQueue().submitter
    submitter.notices.take = take  # type: ignore[method-assign]
    with told_beside(Settings(webhook_secret=SecretStr(SECRET)), submitter):
        until(lambda: not any(thread.name == "webhooks" for thread in threading.enumerate()))


def test_without_a_secret_there_is_nothing_to_tell(redis_url: str) -> None:
    with personne("webhooks", "--queue", redis_url) as process:
        assert process.popen.wait(60) == 2
        process.wait_for(re.compile("PERSONNE_WEBHOOK_SECRET is not set"))
