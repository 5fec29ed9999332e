"""Runs the reading of a checkpoint in a process of its own, with limits; what it found comes back as safetensors.

The reading itself executes nothing of a file (see unpickling.py). This is the second wall: should a parser be wrong,
the process has little memory, little time, no secrets in its environment, and may neither write, nor start anything,
nor talk to anybody. However it ends, the caller hears one sentence.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import MEBIBYTE, Limits

ANSWER_FILE, TENSORS_FILE = "answer.json", "tensors.safetensors"
ANSWER_BYTES = 8 * MEBIBYTE
PROGRESS_CHARACTERS = 200
# What the process says when it begins to read; what comes before (loading torch) is no fault of the file.
READY = b"ready\n"
START_SECONDS = 120
ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.insert(0, sys.argv[1]); from models.checkpoints.sandboxed import main; main(sys.argv[2])"
# Not a thing of the parent's: no tokens, no proxies. One thread, as a limited process should have.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How the reading process ended. code: negative for a signal. peak_bytes: the most memory that it held."""

    code: int
    timed_out: bool
    peak_bytes: int


def read_checkpoint(
    path: Path,
    reader: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    on_progress: Callable[[str], None] | None = None,
    limits: Limits | None = None,
) -> Checkpoint:
    """What `reader` makes of the file, read in a process of its own.

    reader: "module:function", of ours; it is called there as reader(path, report, **arguments) and returns a
    Checkpoint; arguments must be JSON-able. on_progress hears what the reader reports, a line at a time. Raises
    CheckpointRefused with one sentence, whatever happens to the process.
    """
    limits = limits or Limits()
    try:
        file_bytes = path.stat().st_size
    except OSError as error:
        raise CheckpointRefused(f"{path} cannot be read: {error.strerror}.") from error
    with tempfile.TemporaryDirectory(prefix="personne-import-") as scratch:
        order = {
            "path": str(path.resolve()),
            "reader": reader,
            "arguments": dict(arguments or {}),
            "scratch": scratch,
            "limits": asdict(limits),
        }
        ending = _run(order, on_progress or logger.info, limits.seconds)
        logger.debug("reading took %d MiB at most, exit code %d", ending.peak_bytes // MEBIBYTE, ending.code)
        _refuse_ending(ending, limits, file_bytes)
        return _answer(Path(scratch), limits.result_bytes(file_bytes))


def _run(order: Mapping[str, Any], on_progress: Callable[[str], None], seconds: float) -> Ending:
    command = [sys.executable, "-I", "-B", "-c", START, str(ROOT), json.dumps(order)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        env=ENVIRONMENT,
        cwd=order["scratch"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(START_SECONDS, stop)
    timer.start()
    try:
        assert process.stdout is not None
        if process.stdout.readline(PROGRESS_CHARACTERS) == READY:
            timer.cancel()
            timer = threading.Timer(seconds, stop)
            timer.start()
        while line := process.stdout.readline(PROGRESS_CHARACTERS):
            text = "".join(character for character in line.decode("utf-8", "replace") if character.isprintable())
            if text:
                on_progress(text)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Ending(process.returncode, late.is_set(), usage.ru_maxrss * 1024)
    finally:
        timer.cancel()
        if process.returncode is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _refuse_ending(ending: Ending, limits: Limits, file_bytes: int) -> None:
    if ending.timed_out or ending.code == -signal.SIGXCPU:
        raise CheckpointUnsafe(f"Reading the file took longer than {limits.seconds} s, so it was stopped.")
    if ending.code:
        most = limits.memory_bytes(file_bytes) // MEBIBYTE
        cause = f"signal {-ending.code}" if ending.code < 0 else f"exit code {ending.code}"
        raise CheckpointRefused(
            f"Reading the file ended its process ({cause}); it may use {most:,} MiB, or the machine has less."
        )


def _answer(scratch: Path, most_bytes: int) -> Checkpoint:
    """The checkpoint that the process wrote, or its refusal."""
    try:
        with (scratch / ANSWER_FILE).open("rb") as file:
            answer = json.loads(file.read(ANSWER_BYTES))
        if "refused" in answer:
            kind = CheckpointUnsafe if answer["unsafe"] else CheckpointRefused
            raise kind(str(answer["refused"]))
        if (scratch / TENSORS_FILE).stat().st_size > most_bytes:
            raise CheckpointUnsafe(f"The tensors read from the file take more than {most_bytes:,} bytes.")
        tensors = load_file(scratch / TENSORS_FILE)
        return Checkpoint(
            str(answer["family"]),
            dict(answer["kwargs"]),
            tensors,
            str(answer["origin"]),
            tuple(str(note) for note in answer["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointRefused(f"Reading the file gave no usable answer ({type(error).__name__}).") from error
