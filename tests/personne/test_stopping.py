"""Webs and workers that are told to end while somebody asks, or watches a job; and more callers than can be served."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from app.shedding import BURST
from benchmarks.offered_load import offered
from benchmarks.restarts import Fleet, Replaced
from benchmarks.stage import Stage
from tests.app.watching_jobs import Event, events_in
from tests.personne.processes import ADDRESS, personne, ready

SECONDS = 1.0
STREAM_ENDS_WITHIN_S = 8.0
"""At once, on a machine of its own; without that a stream held its web for as long as there is grace: 25 seconds."""

STUCK_PICTURE = (
    b"POST /v1/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
)


@pytest.fixture(scope="module")
def fleet(served: dict[str, str]) -> Iterator[Fleet]:
    with ExitStack() as stack:
        yield Fleet(Stage(stack, served, workers=2), callers=3)


def test_who_is_one_too_many_is_refused_as_told(fleet: Fleet) -> None:
    seen = offered(fleet.ports[0], 1.0, callers=BURST + 20)
    assert seen.others == {}, "a face, or a problem document that says when to come again"
    assert seen.answered
    assert seen.refused


def test_no_request_fails_while_a_worker_is_replaced(fleet: Fleet) -> None:
    assert_kept(fleet.replace_worker(SECONDS))


def test_no_request_fails_while_a_web_is_replaced(fleet: Fleet) -> None:
    assert_kept(fleet.replace_web(SECONDS))


def assert_kept(replaced: Replaced) -> None:
    assert replaced.answers.failed == {}
    assert replaced.answers.faces > 3
    assert replaced.status == 0
    assert replaced.ended_s < 30


def test_a_stream_ends_with_its_web_and_goes_on_at_the_next(fleet: Fleet) -> None:
    (web, address), (_, next_address) = fleet.webs[-2:]
    job = urlsplit(httpx.post(f"{address}/v1/datasets", json={"count": 5000}, timeout=30).headers["Location"]).path
    seen: list[Event] = []
    watching = threading.Thread(target=lambda: seen.extend(watched(f"{address}{job}/events")))
    watching.start()
    while not any(event.name == "progress" for event in list(watched(f"{next_address}{job}/events", most=3))):
        """It has begun."""
    ended_s = web.stop()
    watching.join(5)
    assert not watching.is_alive()
    assert ended_s < STREAM_ENDS_WITHIN_S
    assert "Traceback" not in web.said
    assert seen
    last = [event.id for event in seen if event.id][-1]
    (first,) = watched(f"{next_address}{job}/events", after=last, most=1)
    assert first.id is not None
    assert order(first.id) > order(last or "")
    assert httpx.delete(f"{next_address}{job}", timeout=30).status_code == 204
    fleet.webs.remove((web, address))


def test_one_process_of_everything_ends_within_its_grace(served: dict[str, str]) -> None:
    with personne(
        "serve", "--port", "0", "--ready-faces", "0", env=served | {"PERSONNE_STOP_GRACE_S": "10"}
    ) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        httpx.post(f"{address}/v1/datasets", json={"count": 5000}, timeout=30).raise_for_status()
        where = urlsplit(address)
        with socket.create_connection((where.hostname or "", where.port or 0)) as stuck:
            # A picture that never arrives: the server waits for it, and the worker after that for its data set.
            stuck.sendall(STUCK_PICTURE)
            time.sleep(0.5)
            ended_s = process.stop()
    assert process.popen.returncode == 0
    # One after the other they took 15.
    assert 4 < ended_s < 13.5


def watched(address: str, after: str | None = None, most: int | None = None) -> Iterator[Event]:
    """The events as they come: until the stream ends as it should, or there were so many."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with httpx.stream("GET", address, headers=headers, timeout=60) as reply:
        reply.raise_for_status()
        events = events_in(reply.iter_lines())
        if most is None:
            yield from events
            return
        for _ in range(most):
            yield next(events)


def order(event_id: str) -> tuple[int, int]:
    """What comes later is more."""
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds), int(number)
