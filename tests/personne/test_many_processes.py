"""Web and workers as processes of their own around a real Redis, and what happens when they are killed."""

import io
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.personne.processes import ADDRESS, Process, personne, ready
from tests.plain_http import NO_TLS
from tests.redis_server import RedisServer

NOT_EMPTY = re.compile(r"\S")
CALLERS = 6
BEFORE_S = 2.0
AFTER_S = 5.0
"""Longer than the lease: what the dead worker held has been taken over."""


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    with RedisServer(tmp_path) as server:
        yield server.url


@pytest.fixture
def web(queue: str, served: dict[str, str]) -> Iterator[str]:
    """The address of a web without faces made ahead."""
    with personne("web", "--queue", queue, "--port", "0", "--ready-faces", "0", env=served) as process:
        yield process.wait_for(ADDRESS)[1]


@pytest.fixture
def two_workers(queue: str, web: str, served: dict[str, str]) -> Iterator[tuple[Process, Process]]:
    """Both warm."""
    options = ("worker", "--queue", queue, "--threads", "1")
    with (
        personne(*options, env=served | {"PERSONNE_WORKER_ID": "first"}) as first,
        personne(*options, env=served | {"PERSONNE_WORKER_ID": "second"}) as second,
    ):
        wait_for_workers(web, {"first", "second"})
        yield first, second


class Load:
    """Callers that ask for one face after the other, until the end of the block."""

    def __init__(self, address: str) -> None:
        self.answers: list[tuple[int, str]] = []
        self._address = address
        self._over = threading.Event()
        self._callers = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]

    def __enter__(self) -> "Load":
        for caller in self._callers:
            caller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for caller in self._callers:
            caller.join()

    def _call(self, number: int) -> None:
        with httpx.Client(base_url=self._address, timeout=60) as client:
            seed = number * 1_000_000
            while not self._over.is_set():
                # Another seed each time, so that only a worker can answer.
                seed += 1
                response = client.get(f"/v1/faces/{seed}.jpg")
                self.answers.append((response.status_code, "" if response.is_success else response.text))


def live_workers(address: str) -> set[str]:
    listed = httpx.get(f"{address}/v1/models", verify=NO_TLS).json()["models"]
    return {worker["id"] for model in listed for worker in model["workers"] or ()}


def wait_for_workers(address: str, wanted: set[str]) -> None:
    ends = time.monotonic() + 60
    while live_workers(address) != wanted:
        assert time.monotonic() < ends, live_workers(address)
        time.sleep(0.1)


@pytest.mark.usefixtures("two_workers")
def test_web_and_workers_serve_what_one_process_serves(web: str, served: dict[str, str]) -> None:
    apart = httpx.get(f"{web}/v1/faces/7.png")
    with personne("serve", "--port", "0", env=served) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        together = httpx.get(f"{address}/v1/faces/7.png")
    assert apart.status_code == together.status_code == 200
    difference = np.abs(pixels(apart).astype(int) - pixels(together).astype(int)).max()
    assert difference <= 1
    assert apart.headers["etag"] == together.headers["etag"]


def test_a_killed_worker_loses_no_request(web: str, two_workers: tuple[Process, Process]) -> None:
    first, second = two_workers
    with Load(web) as load:
        time.sleep(BEFORE_S)
        first.stop(signal.SIGKILL)
        served_before = len(load.answers)
        time.sleep(AFTER_S)
    assert {answer for answer in load.answers if answer[0] != 200} == set()
    assert served_before > CALLERS
    assert len(load.answers) > served_before + CALLERS, "the other one went on"
    assert second.popen.poll() is None


def test_a_stopped_worker_gives_back_what_it_holds(web: str, two_workers: tuple[Process, Process]) -> None:
    first, _ = two_workers
    with Load(web) as load:
        time.sleep(BEFORE_S)
        took_s = first.stop(signal.SIGTERM)
        time.sleep(1)
    assert first.popen.returncode == 0
    assert took_s < 30
    assert {answer for answer in load.answers if answer[0] != 200} == set()
    assert "Traceback" not in first.said
    wait_for_workers(web, {"second"})


def test_health_tells_who_is_well(web: str, queue: str, served: dict[str, str]) -> None:
    assert health("--url", f"{web}/livez") == (0, f"{web}/livez is well.")
    assert health("--url", f"{web}/readyz")[0] == 1, "no worker yet"
    assert health("--worker", "--queue", queue)[0] == 1
    with personne("worker", "--queue", queue, "--threads", "1", env=served) as process:
        ready(web)
        status, said = health("--worker", "--queue", queue)
        assert status == 0
        assert str(process.popen.pid) in said
        assert health("--url", f"{web}/readyz")[0] == 0
    status, said = health("--url", "http://127.0.0.1:9/livez")
    assert status == 1
    assert "does not answer" in said


def health(*arguments: str) -> tuple[int, str]:
    with personne("health", *arguments) as process:
        status = process.popen.wait(30)
        process.wait_for(NOT_EMPTY)
        return status, process.said.strip()


def pixels(response: httpx.Response) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_one_process_may_share_its_queue(queue: str, served: dict[str, str]) -> None:
    with personne("serve", "--queue", queue, "--port", "0", env=served) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        assert httpx.get(f"{address}/v1/faces/7.png", timeout=30).status_code == 200
        assert str(process.popen.pid) in "".join(live_workers(address))
        assert process.stop() < 30
    assert process.popen.returncode == 0
    assert "Traceback" not in process.said
