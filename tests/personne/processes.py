"""Real processes: `personne` as somebody starts it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.plain_http import NO_TLS

ROOT = Path(__file__).parents[2]
START_S = 60.0
ADDRESS = re.compile(r"personne is at (http://\S+)")


class Process:
    """A running command. lines: what it has said so far."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path = ROOT) -> None:
        self.lines: list[str] = []
        # A group of its own, so that nothing of it can outlive a test.
        self.popen = subprocess.Popen(
            command,
            env=clean_environment() | dict(env),
            cwd=cwd,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: re.Pattern[str], within_s: float = START_S) -> re.Match[str]:
        """The first line that holds the pattern."""
        ends = time.monotonic() + within_s
        while time.monotonic() < ends:
            for line in list(self.lines):
                if found := pattern.search(line):
                    return found
            if self.popen.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.02)
        raise AssertionError(f"no {pattern.pattern!r} in: {self.said}")

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; the seconds until the process was gone."""
        asked = time.monotonic()
        self.popen.send_signal(number)
        self.popen.wait(timeout=40)
        self._reader.join(5)
        return time.monotonic() - asked

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(timeout=10)
        self._reader.join(5)
        if self.popen.stdout is not None:
            self.popen.stdout.close()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.lines.append(line)


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PERSONNE_")}


@contextmanager
def personne(*arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """`personne ...`, killed in the end if it still runs."""
    process = Process([sys.executable, "-m", "personne", *arguments], env or {})
    try:
        yield process
    finally:
        process.close()


def ready(address: str) -> None:
    """Wait until a warm worker serves the default model."""
    ends = time.monotonic() + START_S
    answer = "nothing"
    with httpx.Client(verify=NO_TLS) as client:
        while time.monotonic() < ends:
            with suppress(httpx.TransportError):
                response = client.get(f"{address}/readyz")
                if response.status_code == 200:
                    return
                answer = response.text
            time.sleep(0.05)
    raise AssertionError(f"{address} is not ready: {answer}")
