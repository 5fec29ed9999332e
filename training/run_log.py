"""What a run tells: a progress bar for people, lines for log files, JSONL for tools, grids."""
# N samples, C channel, H W picture

import importlib
import importlib.util
import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from models.contact_sheet import contact_sheet
from training.atomic import written_whole
from training.errors import TrainingDiverged

STATS_NAME = "stats.jsonl"
WHAT_TO_TRY = (
    "Go on from it with half the learning rate, a larger penalty on the gradient, or arithmetic in float32 (bfloat16 "
    "false); if it comes back at the same image, look for broken pictures in the data."
)


class RunLog:
    """A context that reports a run into `run`/stats.jsonl, TensorBoard (if installed), and a
    progress bar on a terminal or plain lines elsewhere."""

    def __init__(
        self,
        run: Path,
        recipe: str,
        total_images: int,
        images_seen: int,
        device: torch.device,
        *,
        writes: bool = True,
    ) -> None:
        """writes: whether this process tells; the others of a run only watch that their numbers are finite."""
        self._stats, self._total, self._writes = run / STATS_NAME, total_images, writes
        self._device_type = device.type
        self._device = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        if writes:
            _forget_after(self._stats, images_seen)
        self._sums: dict[str, Tensor | float] = {}
        self._counts: dict[str, int] = {}
        self._last = (time.monotonic(), images_seen)
        self._board = _tensorboard(run, images_seen) if writes else None
        self._progress = _progress_bar()
        self._task = self._progress.add_task(recipe, total=total_images, completed=images_seen, rate=0.0, losses="")

    def __enter__(self) -> "RunLog":
        if sys.stderr.isatty() and self._writes:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
        if self._board is not None:
            self._board.close()

    def add(self, **values: Tensor | float) -> None:
        """Collect scalars (0-d tensors or numbers); their means appear in the next report."""
        for name, value in values.items():
            # Summed on the device: reading them here would stall a GPU at every step.
            self._sums[name] = self._sums.get(name, 0) + (
                value.detach().float() if isinstance(value, Tensor) else value
            )
            self._counts[name] = self._counts.get(name, 0) + 1

    def report(self, images_seen: int) -> None:
        """Write the means since the last report. Raises TrainingDiverged when one is not finite."""
        now = time.monotonic()
        then, images_then = self._last
        rate = (images_seen - images_then) / max(now - then, 1e-9)
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._last = (now, images_seen)
        self._sums, self._counts = {}, {}
        if self._writes:
            facts = {"images_seen": images_seen, "images_per_second": round(rate, 2), "time": time.time()}
            facts["memory_gb"] = round(_memory_bytes(self._device_type) / 1e9, 3)
            with self._stats.open("a") as stats:
                stats.write(json.dumps({**facts, "device": self._device, **means}) + "\n")
            self._show(images_seen, rate, {**means, "GB": facts["memory_gb"]})
        if bad := [name for name, value in means.items() if not math.isfinite(value)]:
            raise TrainingDiverged(
                f"{', '.join(bad)} at image {images_seen} is no longer a finite number; the state saved last is sound. "
                f"{WHAT_TO_TRY}"
            )

    def _show(self, images_seen: int, rate: float, means: dict[str, float]) -> None:
        losses = "  ".join(f"{name} {value:.3f}" for name, value in means.items())
        self._progress.update(self._task, completed=images_seen, rate=rate, losses=losses)
        if not sys.stderr.isatty():
            left_h = (self._total - images_seen) / max(rate, 1e-9) / 3600
            line = f"{images_seen}/{self._total} images  {rate:.1f} images/s  {left_h:.2f} h left  {losses}"
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        if self._board is not None:
            for name, value in {**means, "images_per_second": rate}.items():
                self._board.add_scalar(name, value, images_seen)


def save_grid(path: Path, pictures_NCHW: Tensor, columns: int) -> None:
    """[N, 3, H, W] in -1..1, clamped here -> one picture, row by row."""
    # [-1, 1] => 0..255
    levels = (pictures_NCHW.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    with written_whole(path) as temporary:
        contact_sheet(levels.permute(0, 2, 3, 1).cpu().numpy(), columns).save(temporary, format="PNG")


def _forget_after(stats: Path, images_seen: int) -> None:
    """Drop the rows that a resumed run will write again, and a last line that a kill cut short."""
    if not stats.exists():
        return
    lines = [line for line in stats.read_text().splitlines(keepends=True) if line.endswith("}\n")]
    with written_whole(stats) as temporary:
        temporary.write_text("".join(line for line in lines if json.loads(line)["images_seen"] <= images_seen))


def _memory_bytes(device_type: str) -> int:
    """What the run needed at most so far."""
    if device_type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} images  {task.fields[rate]:.1f} images/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )


def _tensorboard(run: Path, images_seen: int) -> Any:
    if importlib.util.find_spec("tensorboard") is None:
        return None
    return importlib.import_module("torch.utils.tensorboard").SummaryWriter(
        # What a run that was killed told of later images is told again.
        str(run / "tensorboard"),
        purge_step=images_seen + 1,
    )
