"""What time a job is given again on Redis, when it was begun and comes back."""

import asyncio

import pytest
import redis

from jobs.contract import JobFailure, Lane
from jobs.redis_queue import RedisSource, RedisSubmitter
from tests.jobs.conftest import face

pytestmark = pytest.mark.anyio
QUICK = (Lane.QUICK,)


async def test_a_dead_workers_job_is_taken_over_after_its_deadline_too(
    submitter: RedisSubmitter, source: RedisSource, redis_url: str
) -> None:
    assert source.take(QUICK, max_jobs=1, wait_ms=0) == []
    told, on_the_line = [
        await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=300, events=events) for events in (True, False)
    ]
    with redis.Redis.from_url(redis_url) as client:
        client.xreadgroup("workers", "dead", {"psn:lane:quick": ">"})
    (delivery,) = await asyncio.to_thread(source.take, QUICK, max_jobs=2, wait_ms=5000)
    assert delivery.id == told
    assert delivery.deadline_ms > delivery.submitted_at_ms + 600
    outcome = await submitter.wait(on_the_line, timeout_ms=2000)
    assert isinstance(outcome, JobFailure)
    assert outcome.code == "deadline-passed"


async def test_what_came_back_is_known_for_as_long_as_it_may_wait_again(
    submitter: RedisSubmitter, source: RedisSource, redis_url: str
) -> None:
    job_id = await submitter.submit(face(), lane=Lane.QUICK, timeout_ms=60_000)
    (delivery,) = source.take(QUICK, max_jobs=1, wait_ms=1000)
    with redis.Redis.from_url(redis_url) as client:
        client.pexpire(f"psn:job:{job_id}", 5000)
        client.pexpire(f"psn:events:{job_id}", 5000)
        source.give_back([delivery])
        assert client.pttl(f"psn:job:{job_id}") > 60_000
        assert client.pttl(f"psn:events:{job_id}") > 60_000
