"""What every queue promises of results that come in parts, asked of each."""

import asyncio

import pytest
import redis

from jobs.contract import DatasetJob, Delivery, JobId, JobResult, Lane, Parts, PictureFormat
from jobs.errors import JobUnknown, LeaseLost
from tests.jobs.conftest import POLICY, Ends

pytestmark = pytest.mark.anyio
JOB = DatasetJob("0123456789abcdef", 2**64 - 9, 8, 0.7, 64, PictureFormat.PNG, ranges=(("smile", -1.0, 2.0),))
PARTS = [bytes([i]) * 1000 for i in range(5)]
ALL = Parts("mine", len(PARTS), 5000)


async def submit(ends: Ends) -> JobId:
    return await ends.submitter.submit(JOB, lane=Lane.SLOW, timeout_ms=10_000)


def kept(ends: Ends, delivery: Delivery) -> tuple[str, list[bytes]]:
    token, parts = ends.source.earlier_parts(delivery)
    return token, list(parts)


async def take(ends: Ends) -> Delivery:
    (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=2000)
    return delivery


async def made(ends: Ends) -> JobId:
    job_id = await submit(ends)
    delivery = await take(ends)
    assert delivery.job == JOB
    for index, part in enumerate(PARTS):
        assert ends.source.put_part(delivery, "mine", index, part)
    assert ends.source.finish(delivery, JobResult(b"", "application/zip", parts=ALL))
    return job_id


async def test_parts_come_back_as_they_were_put(ends: Ends) -> None:
    job_id = await made(ends)
    result = await ends.submitter.wait(job_id, timeout_ms=1000)
    assert isinstance(result, JobResult)
    assert result.parts == ALL
    assert [await ends.submitter.part(job_id, ALL, index) for index in range(5)] == PARTS


async def test_two_attempts_do_not_mix(ends: Ends) -> None:
    job_id = await submit(ends)
    first = await take(ends)
    ends.source.put_part(first, "first", 0, b"half")
    ends.source.retry(first, "It fell over.")
    second = await take(ends)
    ends.source.put_part(second, "second", 0, b"whole")
    assert kept(ends, second) == ("second", [b"whole"])
    parts = Parts("second", 1, 5)
    ends.source.finish(second, JobResult(b"", "application/zip", parts=parts))
    assert await ends.submitter.part(job_id, parts, 0) == b"whole"
    with pytest.raises(JobUnknown):
        await ends.submitter.part(job_id, Parts("third", 1, 5), 0)


async def test_another_attempt_goes_on_behind_the_parts_of_the_first(ends: Ends) -> None:
    job_id = await submit(ends)
    first = await take(ends)
    assert kept(ends, first) == ("", [])
    for index in range(3):
        ends.source.put_part(first, "mine", index, PARTS[index])
    ends.source.retry(first, "It fell over.")
    second = await take(ends)
    assert kept(ends, second) == ("mine", PARTS[:3])
    # The third is of no use to it.
    for index in range(2, 4):
        ends.source.put_part(second, "mine", index, b"other")
        assert kept(ends, second) == ("mine", [*PARTS[:2], *[b"other"] * (index - 1)])
    parts = Parts("mine", 4, 2010)
    assert ends.source.finish(second, JobResult(b"", "application/zip", parts=parts))
    assert [await ends.submitter.part(job_id, parts, i) for i in range(4)] == [*PARTS[:2], b"other", b"other"]


async def test_whoever_has_lost_the_job_puts_no_more_parts(ends: Ends) -> None:
    await submit(ends)
    first = await take(ends)
    ends.source.put_part(first, "mine", 0, PARTS[0])
    ends.source.retry(first, "It was thought to be dead.")
    with pytest.raises(LeaseLost):
        ends.source.put_part(first, "mine", 1, b"between two workers")
    second = await take(ends)
    with pytest.raises(LeaseLost):
        ends.source.put_part(first, "mine", 1, b"late")
    assert kept(ends, second) == ("mine", PARTS[:1])


async def test_a_cancelled_job_takes_no_more_parts_and_keeps_none(ends: Ends) -> None:
    job_id = await submit(ends)
    delivery = await take(ends)
    ends.source.put_part(delivery, "mine", 0, PARTS[0])
    await ends.submitter.erase(job_id)
    assert not ends.source.put_part(delivery, "mine", 1, PARTS[1])
    with pytest.raises(JobUnknown):
        await ends.submitter.part(job_id, ALL, 0)


async def test_an_erased_result_loses_its_parts(ends: Ends) -> None:
    job_id = await made(ends)
    await ends.submitter.erase(job_id)
    with pytest.raises(JobUnknown):
        await ends.submitter.part(job_id, ALL, 0)


async def test_parts_are_kept_while_somebody_fetches_them_and_not_much_longer(ends: Ends) -> None:
    job_id = await made(ends)
    for index in range(4):
        await asyncio.sleep(POLICY.result_ttl_s * 0.6)
        assert await ends.submitter.part(job_id, ALL, index) == PARTS[index]
    await asyncio.sleep(POLICY.result_ttl_s + 0.3)
    with pytest.raises(JobUnknown):
        await ends.submitter.part(job_id, ALL, 4)


async def test_no_part_stays_in_redis(redis_url: str) -> None:
    from jobs.redis_queue import RedisSource, RedisSubmitter

    ends = Ends(RedisSubmitter(redis_url, POLICY), RedisSource(redis_url, "w1", POLICY))
    try:
        job_id = await made(ends)
        with redis.Redis.from_url(redis_url) as client:
            assert 0 < client.pttl(f"psn:parts:{job_id}") <= POLICY.result_ttl_s * 1000
            await ends.submitter.erase(job_id)
            assert sorted(client.scan_iter("psn:*")) == [b"psn:lane:slow", b"psn:replies:" + job_replies(client)]
    finally:
        ends.source.close()
        await ends.submitter.close()


def job_replies(client: "redis.Redis") -> bytes:
    (key,) = client.scan_iter("psn:replies:*")
    return bytes(key).removeprefix(b"psn:replies:")
