"""What every queue promises of idempotency keys, asked of each."""

import asyncio
from dataclasses import replace

import pytest
import redis

from jobs.contract import JobId, JobResult, Lane
from jobs.errors import JobUnknown, KeyReused, QueueFull
from jobs.memory_queue import MemoryQueue
from jobs.queue import Once
from jobs.redis_queue import RedisSource, RedisSubmitter
from tests.jobs.conftest import POLICY, Ends, face

pytestmark = pytest.mark.anyio
ONCE = Once("k" * 64, "f" * 64)


async def submit(ends: Ends, once: Once | None = ONCE, seed: int = 0) -> JobId:
    return await ends.submitter.submit(face(seed), lane=Lane.SLOW, timeout_ms=10_000, once=once)


async def test_a_hundred_equal_submits_at_once_make_one_job(ends: Ends) -> None:
    ids = await asyncio.gather(*(submit(ends) for _ in range(100)))
    assert len(set(ids)) == 1
    assert (await ends.submitter.state()).waiting[Lane.SLOW] == 1


async def test_other_keys_make_other_jobs_and_another_payload_is_refused(ends: Ends) -> None:
    first = await submit(ends)
    assert await submit(ends, replace(ONCE, key="other")) != first
    assert await submit(ends, None) != first
    with pytest.raises(KeyReused):
        await submit(ends, replace(ONCE, fingerprint="other"))
    assert await submit(ends) == first


async def test_what_came_under_a_key_can_be_asked_for(ends: Ends) -> None:
    assert await ends.submitter.known(ONCE) is None
    first = await submit(ends)
    assert await ends.submitter.known(ONCE) == first
    with pytest.raises(KeyReused):
        await ends.submitter.known(replace(ONCE, fingerprint="other"))


async def test_a_full_lane_keeps_no_key(ends: Ends) -> None:
    ids = [await submit(ends, None) for _ in range(POLICY.lane_caps[Lane.SLOW])]
    with pytest.raises(QueueFull):
        await submit(ends)
    await ends.submitter.cancel(ids[0])
    assert await submit(ends) not in ids


async def test_the_key_is_known_after_the_result_has_expired(ends: Ends) -> None:
    first = await submit(ends)
    (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=2000)
    ends.source.finish(delivery, JobResult(b"picture", "image/png"))
    assert await submit(ends) == first
    await asyncio.sleep(POLICY.result_ttl_s + 0.3)
    assert await submit(ends) == first, "no second job"
    with pytest.raises(JobUnknown):
        await ends.submitter.status(first)


@pytest.mark.parametrize("done", [False, True])
async def test_an_erased_job_takes_its_key_along(ends: Ends, done: bool) -> None:
    first = await submit(ends)
    if done:
        (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=2000)
        ends.source.finish(delivery, JobResult(b"picture", "image/png"))
    await ends.submitter.erase(first)
    assert await submit(ends) != first


async def test_a_key_is_forgotten_in_the_end(redis_url: str) -> None:
    brief = replace(POLICY, once_ttl_s=0.3)
    memory = MemoryQueue(brief)
    on_redis = Ends(RedisSubmitter(redis_url, brief), RedisSource(redis_url, "w1", brief))
    for ends in (Ends(memory.submitter, memory.source), on_redis):
        first = await submit(ends)
        await asyncio.sleep(0.5)
        assert await submit(ends) != first
        ends.source.close()
        await ends.submitter.close()
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter("psn:once:*"))
        assert all(0 < client.pttl(key) <= 300 for key in keys)
