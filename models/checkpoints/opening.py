"""Opens any checkpoint: the container by its first bytes, its layout by its content, all of it in the sandbox."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.containers import open_container
from models.checkpoints.limits import Limits
from models.checkpoints.nvlabs import is_nvlabs, read_nvlabs
from models.checkpoints.recognise import Request, plain, recognise
from models.checkpoints.sandbox import read_checkpoint
from models.checkpoints.tensorflow_legacy import is_tensorflow, read_tensorflow


def open_safely(
    path: Path,
    *,
    on_progress: Callable[[str], None] | None = None,
    request: Request | None = None,
    limits: Limits | None = None,
) -> Checkpoint:
    """The generator or translator in a file. Raises CheckpointRefused, one sentence, for everything else."""
    limits = limits or Limits()
    arguments = {"limits": asdict(limits), **asdict(request or Request())}
    reader = f"{__name__}:{read_any.__name__}"
    return read_checkpoint(path, reader, arguments=arguments, on_progress=on_progress, limits=limits)


def read_any(path: Path, report: Callable[[str], None], *, limits: Mapping[str, Any], **request: Any) -> Checkpoint:
    """The same without walls: what runs inside of the sandbox. The fields of Limits, and those of Request."""
    report("opening the container")
    opened = open_container(path, Limits(**limits))
    report(f"reading its content ({opened.kind})")
    if is_nvlabs(opened.content):
        return plain(read_nvlabs(opened.content))
    if is_tensorflow(opened.content):
        return plain(read_tensorflow(opened.content))
    return recognise(opened.content, Request(**request))
