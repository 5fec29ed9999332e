"""What every queue promises of jobs that bring a photo and take their time, asked of each."""

import asyncio

import pytest
import redis

from jobs.contract import (
    C2PA,
    PHOTO,
    Delivery,
    JobFailure,
    JobId,
    JobResult,
    JobStage,
    JobStatus,
    Lane,
    PictureFormat,
    TranslateJob,
)
from jobs.errors import JobUnknown, QueueFull
from jobs.memory_queue import MemoryQueue
from jobs.redis_queue import RedisSource, RedisSubmitter
from tests.jobs.conftest import POLICY, Ends
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio
PAINTING = TranslateJob("0123456789abcdef", 0.8, PictureFormat.JPEG, size=640)
INPUTS = {PHOTO: b"\xff\xd8photo of somebody\xff\xd9" * 1000, C2PA: b"\x00\x00jumb"}
DONE = JobResult(b"painting", "image/jpeg")


async def submit(ends: Ends, timeout_ms: int = 10_000) -> JobId:
    return await ends.submitter.submit(PAINTING, lane=Lane.SLOW, timeout_ms=timeout_ms, inputs=INPUTS)


async def take(ends: Ends) -> Delivery:
    (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=2000)
    return delivery


async def test_a_translation_arrives_with_its_photo(ends: Ends) -> None:
    await submit(ends)
    delivery = await take(ends)
    assert delivery.job == PAINTING
    assert dict(ends.source.inputs(delivery)) == INPUTS


async def test_a_status_from_the_first_moment_to_the_last(ends: Ends) -> None:
    first, second = await submit(ends), await submit(ends)
    assert await ends.submitter.status(first) == JobStatus(JobStage.WAITING, position=0)
    assert await ends.submitter.status(second) == JobStatus(JobStage.WAITING, position=1)
    delivery = await take(ends)
    assert await ends.submitter.status(first) == JobStatus(JobStage.RUNNING)
    assert await ends.submitter.status(second) == JobStatus(JobStage.WAITING, position=0)
    ends.source.report(delivery, 0.25)
    ends.source.report(delivery, 0.5)
    assert await ends.submitter.status(first) == JobStatus(JobStage.RUNNING, progress=0.5)
    ends.source.finish(delivery, DONE)
    assert await ends.submitter.status(first) == JobStatus(JobStage.DONE)


async def test_a_failure_is_part_of_the_status(ends: Ends) -> None:
    job_id = await submit(ends)
    failure = JobFailure("photo-refused", "The photo is cut off.")
    ends.source.finish(await take(ends), failure)
    assert await ends.submitter.status(job_id) == JobStatus(JobStage.FAILED, failure=failure)


async def test_progress_of_an_attempt_that_failed_is_forgotten(ends: Ends) -> None:
    job_id = await submit(ends)
    delivery = await take(ends)
    ends.source.report(delivery, 0.9)
    ends.source.retry(delivery, "once more")
    assert (await ends.submitter.status(job_id)).stage is JobStage.WAITING
    ends.source.report(delivery, 0.95)
    await take(ends)
    assert await ends.submitter.status(job_id) == JobStatus(JobStage.RUNNING)


async def test_nobody_knows_the_status_of_a_job_that_never_was(ends: Ends) -> None:
    with pytest.raises(JobUnknown):
        await ends.submitter.status(JobId("nobody"))
    with pytest.raises(JobUnknown):
        await ends.submitter.erase(JobId("nobody"))


async def test_a_finished_job_that_is_erased_leaves_nothing(ends: Ends) -> None:
    job_id = await submit(ends)
    ends.source.finish(await take(ends), DONE)
    await ends.submitter.erase(job_id)
    for asked in (ends.submitter.status(job_id), ends.submitter.wait(job_id, timeout_ms=100)):
        with pytest.raises(JobUnknown):
            await asked
    await asyncio.sleep(POLICY.result_ttl_s + 0.3)
    await submit(ends)


async def test_a_running_job_that_is_erased_is_cancelled_and_its_photo_goes_at_once(ends: Ends) -> None:
    job_id = await submit(ends)
    delivery = await take(ends)
    await ends.submitter.erase(job_id)
    assert not ends.source.inputs(delivery)
    assert set(ends.source.cancelled([delivery])) == {job_id}
    ends.source.report(delivery, 0.5)
    status = await ends.submitter.status(job_id)
    assert status.stage is JobStage.FAILED
    assert status.failure is not None
    assert status.failure.code == "cancelled"
    assert not ends.source.finish(delivery, DONE)


async def test_a_full_slow_lane_takes_no_photo(ends: Ends) -> None:
    ids = [await submit(ends) for _ in range(POLICY.lane_caps[Lane.SLOW])]
    refused = JobId("refused")
    with pytest.raises(QueueFull, match="slow lane"):
        await ends.submitter.submit(PAINTING, lane=Lane.SLOW, timeout_ms=9000, job_id=refused, inputs=INPUTS)
    with pytest.raises(JobUnknown):
        await ends.submitter.status(refused)
    assert (await take(ends)).id == ids[0]
    await submit(ends)


@pytest.mark.parametrize("ending", ["given up", "too late", "cancelled", "erased"])
async def test_however_a_job_ends_its_photo_is_gone(ends: Ends, ending: str) -> None:
    job_id = await submit(ends, timeout_ms=100 if ending == "too late" else 10_000)
    match ending:
        case "given up":
            for _ in range(POLICY.max_deliveries):
                delivery = await take(ends)
                ends.source.retry(delivery, "it will not")
        case "too late":
            await asyncio.sleep(0.2)
            assert ends.source.take([Lane.SLOW], max_jobs=1, wait_ms=0) == []
        case "cancelled":
            await ends.submitter.cancel(job_id)
        case "erased":
            await ends.submitter.erase(job_id)
    assert isinstance(await ends.submitter.wait(job_id, timeout_ms=1000), JobFailure)
    gone = Delivery(job_id, PAINTING, Lane.SLOW, 1, 0, 0, "")
    assert not ends.source.inputs(gone)


async def test_a_photo_that_nobody_came_for_does_not_outlive_its_time(redis_url: str) -> None:
    brief = POLICY.__class__(lane_caps=POLICY.lane_caps, input_ttl_s=0.3)
    memory = MemoryQueue(brief)
    on_redis = Ends(RedisSubmitter(redis_url, brief), RedisSource(redis_url, "w1", brief))
    for ends in (Ends(memory.submitter, memory.source), on_redis):
        await submit(ends)
        await asyncio.sleep(0.5)
        assert not ends.source.inputs(await take(ends))
        ends.source.close()
        await ends.submitter.close()


async def test_no_key_of_redis_but_the_inputs_ever_holds_a_photo(redis_server: RedisServer, redis_url: str) -> None:
    ends = Ends(RedisSubmitter(redis_url, POLICY), RedisSource(redis_url, "w1", POLICY))
    with redis.Redis.from_url(redis_server.url) as client:

        def holders() -> list[bytes]:
            return [key for key in client.keys("*") if b"photo of somebody" in client.dump(key)]

        job_id = await submit(ends)
        key = f"psn:inputs:{job_id}".encode()
        assert holders() == [key]
        assert 0 < client.pttl(key) <= POLICY.input_ttl_s * 1000
        for _ in range(POLICY.max_deliveries):
            delivery = await take(ends)
            ends.source.inputs(delivery)
            ends.source.retry(delivery, "it will not")
        assert client.xlen("psn:dead:slow") == 1, "it is among the dead letters"
        assert holders() == []
    ends.source.close()
    await ends.submitter.close()


async def test_a_job_that_nobody_waits_for_leaves_no_trace_in_the_submitter(redis_url: str) -> None:
    ends = Ends(RedisSubmitter(redis_url, POLICY), RedisSource(redis_url, "w1", POLICY))
    for _ in range(3):
        await submit(ends)
        ends.source.finish(await take(ends), DONE)
    until = asyncio.get_running_loop().time() + 5
    while ends.submitter._arrivals and asyncio.get_running_loop().time() < until:  # type: ignore[attr-defined]
        await asyncio.sleep(0.02)
    assert not ends.submitter._arrivals  # type: ignore[attr-defined]
    ends.source.close()
    await ends.submitter.close()


async def test_a_job_that_nobody_takes_in_time_leaves_no_trace_either(redis_url: str) -> None:
    ends = Ends(RedisSubmitter(redis_url, POLICY), RedisSource(redis_url, "w1", POLICY))
    for _ in range(3):
        await submit(ends, timeout_ms=100)
    lasting = await submit(ends, timeout_ms=60_000)
    assert len(ends.submitter._arrivals) == 4  # type: ignore[attr-defined]
    until = asyncio.get_running_loop().time() + 10
    while len(ends.submitter._arrivals) > 1 and asyncio.get_running_loop().time() < until:  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
    assert len(ends.submitter._arrivals) == 1, "of a job in time it is still told"  # type: ignore[attr-defined]
    waiting = asyncio.create_task(ends.submitter.wait(lasting, timeout_ms=5000))
    # The three whose time is over end in the source's hands.
    ends.source.finish(await take(ends), DONE)
    assert await waiting == DONE
    ends.source.close()
    await ends.submitter.close()
