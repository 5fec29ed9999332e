"""`personne webhooks` as a process, between a queue on Redis and somebody who wants to be told."""

import asyncio
import json
import re
import signal

from jobs.contract import JobResult, Lane
from jobs.redis_queue import RedisSource, RedisSubmitter
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


def test_without_a_secret_there_is_nothing_to_tell(redis_url: str) -> None:
    with personne("webhooks", "--queue", redis_url) as process:
        assert process.popen.wait(60) == 2
        process.wait_for(re.compile("PERSONNE_WEBHOOK_SECRET is not set"))
