"""Readers that misbehave, for the sandbox to stop: called there as reader(path, report)."""

import ctypes
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.containers import open_container
from models.checkpoints.errors import CheckpointRefused

Report = Callable[[str], None]


def answer(**tensors: torch.Tensor) -> Checkpoint:
    return Checkpoint("stylegan2", {"z_dim": 4}, tensors, "a test", ("a note",))


def behave(path: Path, report: Report, word: str) -> Checkpoint:
    """Tensors that share memory, and what the process sees of its surroundings."""
    report(f"{word} \x1b[31m of {path.name}")
    report(" ".join(sorted(os.environ)))
    shared = torch.arange(6.0)
    return answer(a=shared, b=shared, c=shared.view(2, 3).T, d=torch.tensor(1.5))


def trespass(path: Path, report: Report) -> Checkpoint:
    """Everything forbidden, one after another; each refusal is reported."""
    target = path.with_name("trespassed")
    attempts: dict[str, Callable[[], object]] = {
        "write": lambda: target.write_text("x"),
        "append": lambda: os.open(target, os.O_WRONLY | os.O_CREAT),
        "system": lambda: os.system(f"touch {target}"),  # noqa: S605
        "program": lambda: subprocess.run(["touch", str(target)], check=True),
        "fork": os.fork,
        "connect": lambda: socket.create_connection(("127.0.0.1", 1)),
        "remove": path.unlink,
        "rename": lambda: path.rename(target),
        "mkdir": target.mkdir,
        "unpickle": lambda: pickle.loads(b"cbuiltins\nprint\n."),  # noqa: S301
        "library": lambda: ctypes.CDLL("libc.so.6"),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
            report(f"{name}: done")
        except CheckpointRefused:
            report(f"{name}: refused")
    raise CheckpointRefused("All was tried.")


def allocate(path: Path, report: Report) -> Checkpoint:
    del path, report
    return answer(a=torch.ones(2**32))


def hoard(path: Path, report: Report) -> Checkpoint:
    """Memory of Python's own, piece by piece."""
    del path, report
    pieces = []
    while True:
        pieces.append(bytearray(2**24))


def answer_at_length(path: Path, report: Report) -> Checkpoint:
    """More tensors than a file of that size may give."""
    del path, report
    return answer(a=torch.ones(2**24))


def linger(path: Path, report: Report) -> Checkpoint:
    report("lingering")
    time.sleep(600)
    return behave(path, report, "late")


def crash(path: Path, report: Report) -> Checkpoint:
    ctypes.string_at(0)
    return behave(path, report, "alive")


def leave(path: Path, report: Report) -> Checkpoint:
    del path, report
    sys.exit(0)


def stumble(path: Path, report: Report) -> Checkpoint:
    del report
    raise KeyError(f"{path.name}\nof two lines")


def open_all(path: Path, report: Report) -> Checkpoint:
    """Open every file that the one at `path` lists, a line each."""
    for line in path.read_text().splitlines():
        try:
            open_container(Path(line))
            report("opened")
        except CheckpointRefused:
            report("refused")
    raise CheckpointRefused("All were tried.")
