"""Trace context: read, made, and carried beside a job on either queue."""

import asyncio
import json
import re

import pytest

from jobs.codec import job_and_trace, job_from_bytes, job_to_bytes
from jobs.contract import GenerateJob, Lane, PictureFormat
from jobs.errors import WireError
from jobs.memory_queue import MemoryQueue
from jobs.queue import DEFAULT_POLICY, JobSource, JobSubmitter
from jobs.redis_queue import RedisSource, RedisSubmitter
from jobs.tracing import CONTEXT, JOB_ID, TraceContext, about_job, below, current_traceparent, read_traceparent

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
JOB = GenerateJob("a" * 16, 7, 0.7, 16, PictureFormat.PNG)


def test_a_header_is_read_and_written_as_the_standard_has_it() -> None:
    context = read_traceparent(PARENT)
    assert context == TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True)
    assert context.traceparent == PARENT
    assert read_traceparent(PARENT[:-1] + "0") == TraceContext(context.trace_id, context.span_id, False)
    assert read_traceparent("01" + PARENT[2:] + "-more") == context, "of a later version what this one knows"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x",
        PARENT[:-1],
        PARENT.upper(),
        "ff" + PARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        PARENT + "\n\n1",
    ],
)
def test_a_malformed_one_is_as_none(header: str | None) -> None:
    assert read_traceparent(header) is None


def test_a_span_stands_below_its_parent_or_begins_a_trace() -> None:
    parent = TraceContext("a" * 32, "b" * 16, False)
    child = below(parent)
    assert (child.trace_id, child.sampled) == (parent.trace_id, False)
    assert child.span_id != parent.span_id
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", below(None).traceparent)
    assert below(None).trace_id != below(None).trace_id


def test_lines_are_about_a_job_for_as_long_as_it_is_in_hand() -> None:
    with about_job("one", read_traceparent(PARENT)):
        assert (JOB_ID.get(), current_traceparent()) == ("one", PARENT)
    assert (JOB_ID.get(), current_traceparent()) == (None, None)


def test_it_rides_beside_the_jobs_own_fields() -> None:
    wire = job_to_bytes(JOB, PARENT)
    assert job_and_trace(wire) == {"job": JOB, "trace": PARENT}
    assert job_from_bytes(wire) == JOB
    assert job_and_trace(job_to_bytes(JOB)) == {"job": JOB, "trace": None}
    with pytest.raises(WireError):
        job_from_bytes(json.dumps({**json.loads(wire), "trace": 7}).encode())


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_a_worker_is_told_which_request_asked(kind: str, redis_url: str) -> None:
    submitter: JobSubmitter
    source: JobSource
    if kind == "memory":
        queue = MemoryQueue(DEFAULT_POLICY)
        submitter, source = queue.submitter, queue.source
    else:
        submitter, source = RedisSubmitter(redis_url), RedisSource(redis_url, "one")

    async def ask() -> None:
        CONTEXT.set(read_traceparent(PARENT))
        await submitter.submit(JOB, lane=Lane.QUICK, timeout_ms=60_000)
        CONTEXT.set(None)
        await submitter.submit(JOB, lane=Lane.QUICK, timeout_ms=60_000)
        await submitter.close()

    asyncio.run(ask())
    first, second = (source.take([Lane.QUICK], max_jobs=1, wait_ms=2000)[0] for _ in range(2))
    assert (first.trace, second.trace) == (PARENT, None)
    source.retry(first, "an attempt that failed")
    (again,) = source.take([Lane.QUICK], max_jobs=1, wait_ms=2000)
    assert (again.id, again.trace) == (first.id, PARENT)
    source.close()
