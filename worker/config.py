"""What a worker needs to know; built by the front door, never read from the environment here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.contract import Lane
from marks import Mark


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """How one worker works.

    worker_id: unique among live workers. device: `auto` (the best there is), `cpu`, `cuda`, `cuda:1`, `tensorrt`,
    `tensorrt:1`, `openvino`, `openvino:bf16`, `openvino:f32`. lanes: what it takes; quick and idle share a thread, slow
    has one of its own. linger_ms: how long an unfilled batch waits for more (0: not at all). stop_grace_s: a stopping
    worker is gone after so long at the latest.
    models: names to serve, opened at the start; empty: all in the catalogue, each opened when first asked for.
    default_model: opened at the start and never closed to make room; None: without `models`, all are opened at the
    start. model_memory_mb: what the models may take together, as `worker.loaded_model.memory_mb` reckons it; None: no
    limit. threads: of the runtime on the CPU; None leaves it the choice. engine_cache: a folder for what TensorRT and
    OpenVINO build; None: built at every start.
    beat_every_s: at most a third of the queue's beat_ttl_s.
    tile_side: pictures of up to so many pixels squared are translated whole, larger ones in tiles of that side.
    max_photo_pixels: larger photos are refused. max_dataset_bytes: a data set that grows larger is given up.
    marks: what pictures leave with. certificate, certificate_key: PEM files to sign with; None: pictures go unsigned.
    """

    worker_id: str
    device: str = "auto"
    lanes: Sequence[Lane] = tuple(Lane)
    linger_ms: int = 0
    stop_grace_s: float = 30.0
    models: Sequence[str] = ()
    default_model: str | None = None
    model_memory_mb: int | None = None
    threads: int | None = None
    engine_cache: str | None = None
    beat_every_s: float = 1.0
    tile_side: int = 768
    max_photo_pixels: int = 25_000_000
    max_dataset_bytes: int = 256 * 1024 * 1024
    marks: Sequence[Mark] = tuple(Mark)
    certificate: Path | None = None
    certificate_key: Path | None = None
