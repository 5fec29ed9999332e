"""Both queues, under one policy short enough for tests."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from jobs.contract import GenerateJob, Lane, PictureFormat
from jobs.memory_queue import MemoryQueue
from jobs.queue import JobSource, JobSubmitter, QueuePolicy
from jobs.redis_queue import RedisSource, RedisSubmitter

POLICY = QueuePolicy(
    lane_caps={Lane.QUICK: 8, Lane.SLOW: 4, Lane.IDLE: 4}, lease_s=0.6, result_ttl_s=1.0, beat_ttl_s=1.0
)


def face(seed: int = 0) -> GenerateJob:
    return GenerateJob("0123456789abcdef", seed, 0.7, 64, PictureFormat.PNG)


@dataclass
class Ends:
    submitter: JobSubmitter
    source: JobSource


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "redis"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    """The two ends of an empty queue: the contract is the same, whichever it is."""
    if request.param == "memory":
        queue = MemoryQueue(POLICY)
        ends = Ends(queue.submitter, queue.source)
    else:
        url = request.getfixturevalue("redis_url")
        ends = Ends(RedisSubmitter(url, POLICY), RedisSource(url, "w1", POLICY))
    yield ends
    ends.source.close()
    await ends.submitter.close()


@pytest.fixture
def policies() -> tuple[QueuePolicy, QueuePolicy]:
    """Of the two ends of a queue on Redis, for tests of that one alone."""
    return POLICY, POLICY


@pytest.fixture
async def submitter(redis_url: str, policies: tuple[QueuePolicy, QueuePolicy]) -> AsyncIterator[RedisSubmitter]:
    submitter = RedisSubmitter(redis_url, policies[0])
    yield submitter
    await submitter.close()


@pytest.fixture
def source(redis_url: str, policies: tuple[QueuePolicy, QueuePolicy]) -> Iterator[RedisSource]:
    source = RedisSource(redis_url, "w1", policies[1])
    yield source
    source.close()
