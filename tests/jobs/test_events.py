"""What every queue promises to those who watch a job, asked of each."""

import asyncio
import time
from dataclasses import replace

import pytest
import redis

from jobs.contract import EVENTS_KEPT, Delivery, JobEvent, JobFailure, JobId, JobResult, JobStage, Lane
from jobs.errors import JobUnknown
from tests.jobs.conftest import POLICY, Ends, face

pytestmark = pytest.mark.anyio
DONE = JobResult(b"picture", "image/png")


async def submit(ends: Ends) -> JobId:
    return await ends.submitter.submit(face(), lane=Lane.SLOW, timeout_ms=10_000)


async def take(ends: Ends) -> Delivery:
    (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=2000)
    return delivery


async def seen(ends: Ends, job_id: JobId, after: str | None = None, wait_ms: int = 0) -> list[JobEvent]:
    return await ends.submitter.events(job_id, after=after, wait_ms=wait_ms)


def what(events: list[JobEvent]) -> list[tuple[JobStage, float | None]]:
    return [(event.stage, event.progress) for event in events]


async def test_all_that_happens_to_a_job(ends: Ends) -> None:
    job_id = await submit(ends)
    first = await take(ends)
    ends.source.report(first, 0.5)
    ends.source.retry(first, "once more")
    again = await take(ends)
    ends.source.report(again, 0.25)
    ends.source.finish(again, DONE)
    ends.source.report(again, 0.75)
    events = await seen(ends, job_id)
    assert what(events) == [
        (JobStage.WAITING, None),
        (JobStage.RUNNING, None),
        (JobStage.RUNNING, 0.5),
        (JobStage.WAITING, None),
        (JobStage.RUNNING, None),
        (JobStage.RUNNING, 0.25),
        (JobStage.DONE, None),
    ]
    assert [event.final for event in events] == [False] * 6 + [True]
    assert len({event.id for event in events}) == 7


async def test_whoever_comes_again_misses_none_and_gets_none_twice(ends: Ends) -> None:
    job_id = await submit(ends)
    delivery = await take(ends)
    for i in range(10):
        ends.source.report(delivery, i / 10)
    ends.source.finish(delivery, DONE)
    everything = await seen(ends, job_id)
    for i, event in enumerate(everything):
        assert await seen(ends, job_id, after=event.id) == everything[i + 1 :]


async def test_a_watcher_is_woken_and_several_watch(ends: Ends) -> None:
    job_id, other_id = await submit(ends), await submit(ends)
    (waiting,) = await seen(ends, job_id)
    (other_waiting,) = await seen(ends, other_id)
    watchers = [asyncio.create_task(seen(ends, job_id, waiting.id, 5000)) for _ in range(3)]
    other = asyncio.create_task(seen(ends, other_id, other_waiting.id, 1500))
    await asyncio.sleep(0.3)
    assert not any(watcher.done() for watcher in watchers)
    delivery = await take(ends)
    began = time.monotonic()
    for watcher in watchers:
        assert what(await watcher) == [(JobStage.RUNNING, None)]
    assert time.monotonic() - began < 3, "long before their five seconds are over"
    running = (await watchers[0])[0]
    late = asyncio.create_task(seen(ends, job_id, running.id, 5000))
    await asyncio.sleep(0.1)
    ends.source.report(delivery, 0.5)
    assert what(await late) == [(JobStage.RUNNING, 0.5)]
    assert await other == [], "nothing happened to that one"


async def test_a_wait_for_events_ends_in_time_and_leaves_nothing(ends: Ends) -> None:
    job_id = await submit(ends)
    (waiting,) = await seen(ends, job_id)
    began = time.monotonic()
    assert await seen(ends, job_id, waiting.id, 200) == []
    assert 0.15 < time.monotonic() - began < 4
    leaver = asyncio.create_task(seen(ends, job_id, waiting.id, 60_000))
    await asyncio.sleep(0.1)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver


async def test_a_failure_is_told(ends: Ends) -> None:
    job_id = await submit(ends)
    failure = JobFailure("photo-refused", "The photo is cut off.")
    ends.source.finish(await take(ends), failure)
    last = (await seen(ends, job_id))[-1]
    assert (last.stage, last.failure, last.final) == (JobStage.FAILED, failure, True)


@pytest.mark.parametrize("running", [False, True])
async def test_a_cancelled_job_tells_that_alone_and_after_all_before(ends: Ends, running: bool) -> None:
    job_id = await submit(ends)
    if running:
        ends.source.report(await take(ends), 0.5)
    before = await seen(ends, job_id)
    await ends.submitter.erase(job_id)
    (last,) = await seen(ends, job_id)
    assert last.failure is not None
    assert last.failure.code == "cancelled"
    assert await seen(ends, job_id, after=before[-1].id) == [last]


async def test_a_cancelled_job_that_waits_leaves_its_place_at_once(ends: Ends) -> None:
    ids = [await submit(ends) for _ in range(POLICY.lane_caps[Lane.SLOW])]
    await ends.submitter.erase(ids[1])
    assert (await ends.submitter.state()).waiting[Lane.SLOW] == len(ids) - 1
    last = await submit(ends)
    assert [(await take(ends)).id for _ in ids] == [ids[0], *ids[2:], last]


async def test_an_erased_job_has_no_events_any_more(ends: Ends) -> None:
    job_id = await submit(ends)
    ends.source.finish(await take(ends), DONE)
    await ends.submitter.erase(job_id)
    for asked in (job_id, JobId("nobody")):
        with pytest.raises(JobUnknown):
            await seen(ends, asked)


async def test_events_expire_with_the_result(ends: Ends) -> None:
    job_id = await submit(ends)
    ends.source.finish(await take(ends), DONE)
    await asyncio.sleep(POLICY.result_ttl_s + 0.3)
    with pytest.raises(JobUnknown):
        await seen(ends, job_id)


async def test_the_latest_events_are_kept(ends: Ends) -> None:
    job_id = await submit(ends)
    delivery = await take(ends)
    for i in range(EVENTS_KEPT + 20):
        ends.source.report(delivery, i / 10_000)
    events = await seen(ends, job_id)
    assert len(events) == EVENTS_KEPT
    assert events[-1].progress == (EVENTS_KEPT + 19) / 10_000


async def test_nothing_of_it_stays_in_redis(redis_url: str) -> None:
    from jobs.redis_queue import RedisSource, RedisSubmitter

    policy = replace(POLICY, result_ttl_s=0.5)
    ends = Ends(RedisSubmitter(redis_url, policy), RedisSource(redis_url, "w1", policy))
    try:
        for watched in (True, False):
            job_id = await ends.submitter.submit(face(), lane=Lane.SLOW, timeout_ms=500, events=watched)
            with redis.Redis.from_url(redis_url) as client:
                assert client.exists(f"psn:events:{job_id}") == watched
            ends.source.finish(await take(ends), DONE)
        await asyncio.sleep(0.8)
        with redis.Redis.from_url(redis_url) as client:
            assert sorted(client.scan_iter("psn:*")) == [b"psn:lane:slow"]
    finally:
        ends.source.close()
        await ends.submitter.close()
