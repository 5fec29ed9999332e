"""Real processes for a measurement: redis-server, webs and workers, and what each holds in memory."""

import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests.personne.processes import ADDRESS, Process, personne, ready
from tests.redis_server import RedisServer


class Stage:
    """Redis, a web and a worker at least. Whatever ends it ends all of it. settings: for every process of ours."""

    def __init__(self, stack: ExitStack, settings: dict[str, str] | None = None, *, workers: int = 1) -> None:
        self._stack = stack
        self._settings = {"PERSONNE_STORE": stack.enter_context(tempfile.TemporaryDirectory()), **(settings or {})}
        self.server = stack.enter_context(RedisServer(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        self.web, self.address = self.start_web()
        self.workers = [self.start_worker() for _ in range(workers)]
        ready(self.address)

    @property
    def port(self) -> int:
        """Of the first web."""
        return urlsplit(self.address).port or 0

    def start_web(self) -> tuple[Process, str]:
        """One more, and where it is. It makes no faces ahead: each is made when it is asked for."""
        web = self._started("web", "--port", "0", "--ready-faces", "0")
        return web, web.wait_for(ADDRESS)[1]

    def start_worker(self) -> Process:
        return self._started("worker", "--threads", "1")

    def resident_mb(self) -> dict[str, float]:
        """What each process holds in memory now."""
        found = {"web": self.web.popen.pid, "redis": self.server.pid}
        found |= {f"worker {number}": worker.popen.pid for number, worker in enumerate(self.workers, 1)}
        return {name: resident_mb(pid) for name, pid in found.items()}

    def _started(self, *arguments: str) -> Process:
        return self._stack.enter_context(personne(*arguments, "--queue", self.server.url, env=self._settings))


def ended_by_sigterm() -> None:
    """Let SIGTERM end this process as an error would, so that what it has started ends, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
