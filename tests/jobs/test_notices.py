"""What every queue promises of ends that somebody wants to be told of, asked of each."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import redis

from jobs.contract import JobFailure, JobId, JobResult, Lane
from jobs.memory_queue import MemorySubmitter
from jobs.notices import KEPT_S, Notice, Notices
from jobs.redis_queue import RedisNotices
from tests.jobs.conftest import POLICY, Ends, face

pytestmark = pytest.mark.anyio
THERE = "https://example.org/told"


@pytest.fixture
async def notices(ends: Ends, request: pytest.FixtureRequest) -> AsyncIterator[Notices]:
    submitter = ends.submitter
    found: Notices
    if isinstance(submitter, MemorySubmitter):
        found = submitter.notices
    else:
        found = RedisNotices(request.getfixturevalue("redis_server").url)
    yield found
    await found.close()


async def ended(ends: Ends, outcome: JobResult | JobFailure, webhook: str = THERE) -> JobId:
    job_id = await ends.submitter.submit(face(), lane=Lane.SLOW, timeout_ms=9000, webhook=webhook)
    (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=2000)
    ends.source.finish(delivery, outcome)
    return job_id


async def test_the_end_of_a_job_is_told_once_it_is_there(ends: Ends, notices: Notices) -> None:
    assert await notices.take(30) is None
    done = await ended(ends, JobResult(b"picture", "image/png"))
    assert await notices.take(30) == Notice(done, THERE, None, 1)
    assert await notices.take(30) is None, "somebody has it in hand"
    failure = JobFailure("job-failed", "It would not.")
    failed = await ended(ends, failure)
    assert await notices.take(30) == Notice(failed, THERE, failure, 1)


async def test_nobody_is_told_who_did_not_ask(ends: Ends, notices: Notices) -> None:
    await ended(ends, JobResult(b"picture", "image/png"), webhook="")
    assert await notices.take(30) is None


async def test_what_was_told_is_told_no_more_and_what_was_not_comes_again(ends: Ends, notices: Notices) -> None:
    await ended(ends, JobResult(b"picture", "image/png"))
    first = await notices.take(30)
    assert first is not None
    await notices.put_off(first, 0.3)
    assert await notices.take(30) is None
    await asyncio.sleep(0.4)
    second = await notices.take(0.2)
    assert second is not None
    assert second.attempt == 2
    await asyncio.sleep(0.3)
    third = await notices.take(30)
    assert third is not None, "whoever had it has died"
    await notices.settle(third)
    await notices.put_off(third, 0)
    assert await notices.take(30) is None


async def test_a_cancelled_job_is_told_of_and_an_erased_one_is_not(ends: Ends, notices: Notices) -> None:
    waiting = await ends.submitter.submit(face(), lane=Lane.SLOW, timeout_ms=9000, webhook=THERE)
    await ends.submitter.erase(waiting)
    told = await notices.take(30)
    assert told is not None
    assert told.failure is not None
    assert told.failure.code == "cancelled"
    done = await ended(ends, JobResult(b"picture", "image/png"))
    await ends.submitter.erase(done)
    assert await notices.take(30) is None


async def test_it_outlives_the_result(ends: Ends, notices: Notices) -> None:
    job_id = await ended(ends, JobResult(b"picture", "image/png"))
    await asyncio.sleep(POLICY.result_ttl_s + 0.3)
    told = await notices.take(30)
    assert told is not None
    assert told.job_id == job_id


async def test_what_nobody_takes_goes_when_another_comes_a_day_later(
    ends: Ends, request: pytest.FixtureRequest
) -> None:
    old = await ended(ends, JobResult(b"picture", "image/png"))
    if isinstance(ends.submitter, MemorySubmitter):
        kept = ends.submitter.notices._queue.notices
        kept[old].since -= KEPT_S
        new = await ended(ends, JobResult(b"picture", "image/png"))
        assert list(kept) == [new]
        return
    with redis.Redis.from_url(request.getfixturevalue("redis_server").url) as client:
        ((_, since),) = client.zrange("psn:notices", 0, -1, withscores=True)
        assert abs(since / 1000 - time.time()) < 60
        client.zadd("psn:notices", {old: since - KEPT_S * 1000})
        new = await ended(ends, JobResult(b"picture", "image/png"))
        assert client.zrange("psn:notices", 0, -1) == [new.encode()]
        assert client.ttl("psn:notices") > KEPT_S - 60, "the last ones go as well"
