"""A result that says itself how long it is kept, and a failure that tells a program more than a sentence."""

import asyncio

import pytest

from jobs.codec import outcome_from_wire, outcome_to_wire
from jobs.contract import InvertJob, JobFailure, JobId, JobResult, Lane
from jobs.errors import JobUnknown
from tests.jobs.conftest import POLICY, Ends

pytestmark = pytest.mark.anyio
JOB = InvertJob("0f1e2d3c4b5a6978", "hybrid", landmarks=(1.0, 2.5))


async def finished(ends: Ends, keep_s: float | None) -> JobId:
    job_id = await ends.submitter.submit(JOB, lane=Lane.SLOW, timeout_ms=20_000)
    (delivery,) = await asyncio.to_thread(ends.source.take, [Lane.SLOW], max_jobs=1, wait_ms=5000)
    assert delivery.job == JOB
    result = JobResult(b"{}", "application/json", keep_s=keep_s)
    assert await asyncio.to_thread(ends.source.finish, delivery, result)
    return job_id


async def is_kept(ends: Ends, job_id: JobId) -> bool:
    try:
        return await ends.submitter.wait(job_id, timeout_ms=1000) is not None
    except JobUnknown:
        return False


async def test_a_result_may_be_kept_longer_or_shorter_than_others(ends: Ends) -> None:
    long = await finished(ends, keep_s=60.0)
    usual = await finished(ends, keep_s=None)
    short = await finished(ends, keep_s=POLICY.result_ttl_s / 4)
    await asyncio.sleep(POLICY.result_ttl_s / 2)
    assert [await is_kept(ends, job) for job in (long, usual, short)] == [True, True, False]
    await asyncio.sleep(POLICY.result_ttl_s)
    assert [await is_kept(ends, job) for job in (long, usual)] == [True, False]
    await ends.submitter.erase(long)
    assert not await is_kept(ends, long)


async def test_what_a_failure_tells_a_program_survives_the_wire() -> None:
    failure = JobFailure("several-faces", "There are 2.", {"faces": [{"box": [1.5, 2.0, 30.0, 40.0]}]})
    assert outcome_from_wire(*outcome_to_wire(failure)) == failure
