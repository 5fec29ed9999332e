"""The other side of sandbox.py: limits itself, reads, writes the answer. Runs in a process of its own."""

import importlib
import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import Limits
from models.checkpoints.sandbox import ANSWER_BYTES, ANSWER_FILE, READY, TENSORS_FILE

OPEN_FILES = 256
SENTENCE_CHARACTERS = 1000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events (PEP 578) of what reading a checkpoint never needs. pickle.find_class: of no unpickler whatsoever.
FORBIDDEN = (
    *("subprocess.", "socket.", "shutil.", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.system", "os.kill"),
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate"),
    *("os.putenv", "os.utime", "ctypes.dlopen", "pickle.find_class", "pty.spawn", "webbrowser.", "urllib.", "ftplib."),
)


def main(order_text: str) -> None:
    """Read as the order says. The answer lies in its scratch folder; the exit code is 0 once it does."""
    order = json.loads(order_text)
    path, scratch, limits = Path(order["path"]), Path(order["scratch"]), Limits(**order["limits"])
    module, _, function = order["reader"].partition(":")
    reader = getattr(importlib.import_module(module), function)
    torch.set_num_threads(1)
    _limit_resources(limits, path.stat().st_size)
    sys.addaudithook(_guard(scratch))
    _report(READY.decode().strip())
    answer = _answer(lambda: reader(path, _report, **order["arguments"]), scratch, limits)
    (scratch / ANSWER_FILE).write_text(json.dumps(answer), encoding="utf-8")
    sys.stdout.flush()
    # Without the tidying up of a process: whatever a file could have set up to happen then does not.
    os._exit(0)


def _report(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the channel to the parent


def _limit_resources(limits: Limits, file_bytes: int) -> None:
    # Of data, not of address space: torch maps gigabytes of libraries that it never touches.
    ceilings = {
        resource.RLIMIT_DATA: limits.memory_bytes(file_bytes),
        resource.RLIMIT_FSIZE: limits.result_bytes(file_bytes) + ANSWER_BYTES,
        resource.RLIMIT_CPU: limits.seconds + math.ceil(time.process_time()),
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, ceiling in ceilings.items():
        _, hard = resource.getrlimit(kind)
        most = ceiling if hard == resource.RLIM_INFINITY else min(ceiling, hard)
        resource.setrlimit(kind, (most, most))


def _guard(scratch: Path) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that stops writing elsewhere, programs and connections; no hook can be taken off again."""
    inside = str(scratch) + os.sep

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            name, _, flags = arguments
            if isinstance(flags, int) and flags & WRITING and not os.fsdecode(str(name)).startswith(inside):
                raise CheckpointUnsafe("Reading the file tried to write another file, and was stopped.")
        elif event.startswith(FORBIDDEN):
            raise CheckpointUnsafe(f"Reading the file tried {event}, and was stopped.")

    return hook


def _answer(read: Callable[[], Checkpoint], scratch: Path, limits: Limits) -> Mapping[str, Any]:
    """The checkpoint but for its tensors, which are written beside it; or the refusal."""
    try:
        checkpoint = read()
        tensors = {name: _own(tensor) for name, tensor in checkpoint.tensors.items()}
        save_file(tensors, scratch / TENSORS_FILE)
        return {
            "family": checkpoint.family,
            "kwargs": checkpoint.kwargs,
            "origin": checkpoint.origin,
            "notes": checkpoint.notes,
        }
    except CheckpointRefused as error:
        return _refusal(str(error), unsafe=isinstance(error, CheckpointUnsafe))
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            return _refusal(_too_large(limits), unsafe=True)
        return _refusal(f"The file cannot be read: {type(error).__name__}: {error}", unsafe=False)


def _too_large(limits: Limits) -> str:
    return (
        f"Reading the file needs more memory than {limits.base_mebibytes:,} MiB and {limits.memory_per_byte} times "
        "its size, so it was stopped."
    )


def _refusal(sentence: str, *, unsafe: bool) -> Mapping[str, Any]:
    return {"refused": " ".join(sentence.split())[:SENTENCE_CHARACTERS], "unsafe": unsafe}


def _own(tensor: Tensor) -> Tensor:
    """The tensor in memory that no other shares, as safetensors asks."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)
