"""Server-sent events over a real uvicorn, on both queues."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from app.access.cost import Till
from app.access.limits import Limits
from app.errands import Errands
from app.event_stream import EventStream, read_event_id
from app.metrics import Meters
from app.ordering import Ordering
from jobs.contract import JobFailure, JobResult, Lane
from jobs.memory_queue import MemoryQueue
from tests.app.conftest import NO_POOL
from tests.app.service import catalogue, manifest, until
from tests.app.watching_jobs import Event, Workshop, workshop
from tests.jobs.conftest import face

DONE = JobResult(b"picture", "image/png")


@pytest.fixture(params=["memory", "redis"])
def shop(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    queue = request.getfixturevalue("redis_url") if request.param == "redis" else "memory"
    with workshop(queue) as shop:
        yield shop


def told(events: list[Event]) -> list[tuple[str, object]]:
    """Those with an id, and the progress they tell of."""
    return [(event.name, event.data["progress"]) for event in events if event.id]


def test_from_the_first_moment_to_the_last(shop: Workshop) -> None:
    address = shop.submit()
    with shop.stream(address) as events:
        first, position = next(events), next(events)
        assert (first.name, first.data["state"]) == ("waiting", "waiting")
        assert (position.name, position.id, position.data["position"]) == ("position", None, 0)
        delivery = shop.take()
        assert next(events).name == "running"
        began = time.monotonic()
        shop.source.report(delivery, 0.5)
        progress = next(events)
        # A tenth of a second on a machine of its own.
        assert time.monotonic() - began < 3
        assert (progress.name, progress.data["progress"]) == ("progress", 0.5)
        shop.source.finish(delivery, DONE)
        (last,) = list(events)
    assert last.name == last.data["state"] == "done"
    assert last.data["result"] == f"{address}/result"
    assert shop.client.get(last.data["result"]).content == b"picture"


def test_the_first_event_is_there_at_once_and_no_proxy_holds_it_back(shop: Workshop) -> None:
    address = shop.submit()
    began = time.monotonic()
    with shop.client.stream("GET", f"{address}/events") as reply:
        next(line for line in reply.iter_lines() if line.startswith("event:"))
        took_s = time.monotonic() - began
        assert reply.headers["X-Accel-Buffering"] == "no"
        assert reply.headers["Cache-Control"] == "no-store, no-transform"
        assert "Content-Length" not in reply.headers
    # A tenth of a second on a machine of its own.
    assert took_s < 3


def test_who_comes_again_misses_none_and_gets_none_twice(shop: Workshop) -> None:
    address = shop.submit()
    delivery = shop.take()
    seen: list[Event] = []

    def work() -> None:
        for i in range(40):
            shop.source.report(delivery, i / 40)
            time.sleep(0.01)
        shop.source.finish(delivery, DONE)

    worker = threading.Thread(target=work)
    worker.start()
    while not seen or seen[-1].name != "done":
        # A line that breaks after every few events.
        with shop.stream(address, after=seen[-1].id if seen else None) as events:
            for _ in range(4):
                seen += [event for event in [next(events, None)] if event is not None and event.id]
    worker.join()
    assert told(seen) == [
        ("waiting", None),
        ("running", None),
        *[("progress", i / 40) for i in range(40)],
        ("done", None),
    ]
    ids = [event.id for event in seen]
    assert len(set(ids)) == len(ids)


def test_who_has_seen_the_end_need_not_come_again(shop: Workshop) -> None:
    address = shop.submit()
    shop.source.finish(shop.take(), JobFailure("job-failed", "It would not."))
    with shop.stream(address) as events:
        *_, last = list(events)
    assert (last.name, last.data["problem"]["detail"]) == ("failed", "It would not.")
    again = shop.client.get(f"{address}/events", headers={"Last-Event-ID": str(last.id)})
    assert (again.status_code, again.content) == (204, b"")
    assert shop.client.get("/v1/jobs/nobody/events").status_code == 404


def test_a_cancelled_job_says_so_to_whoever_watches(shop: Workshop) -> None:
    address = shop.submit()
    with shop.stream(address) as events:
        assert next(events).name == "waiting"
        shop.client.delete(address)
        assert [event.name for event in events if event.id] == ["cancelled"]


def test_a_watcher_who_leaves_is_let_go(shop: Workshop) -> None:
    address = shop.submit()
    before = threading.active_count()
    for _ in range(20):
        with shop.stream(address) as events:
            next(events)
    # Every stream counts as answered once it has ended.
    metric = 'personne_requests_total{code="200",route="/v1/jobs/{job_id}/events"} 20.0'
    until(lambda: metric in shop.client.get("/metrics").text, timeout_s=5)
    assert threading.active_count() <= before + 2


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_silent_line_is_kept_alive_by_comments() -> None:
    queue = MemoryQueue()
    job_id = await queue.submitter.submit(face(), lane=Lane.SLOW, timeout_ms=10_000)
    (delivery,) = queue.source.take([Lane.SLOW], max_jobs=1, wait_ms=100)
    meters, unlimited = Meters(), Limits(0)
    till = Till(unlimited, Ordering(NO_POOL, catalogue(manifest())), meters)
    stream = EventStream(Errands(queue.submitter, meters, 30.0, till), job_id, None, 0.05, asyncio.Event())
    found = await stream.first()
    assert found is not None
    lines = []
    async for line in stream.lines(found):
        lines.append(line)
        if lines.count(": still here\n\n") == 3:
            queue.source.finish(delivery, DONE)
    assert lines[-1].startswith("id: 3\nevent: done\n")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("12-0", "12-0"),
        ("7", "7"),
        ("nonsense", None),
        ("1-2-3", None),
        ("9" * 30, None),
        ("٣", None),
    ],
)
def test_only_ids_of_ours_are_believed(header: str | None, expected: str | None) -> None:
    assert read_event_id(header) == expected
