"""One model in memory: its engines, what it costs to hold them, and how they are opened."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.catalogue import ModelEntry
from models.engines.buckets import GPU_BATCH_SIZES
from models.engines.devices import runs_on_cpu
from models.engines.engine import Engine
from models.engines.opening import open_engine
from models.manifest import GeneratorManifest, GraphName, ModelManifest, TranslatorManifest
from worker import memory
from worker.config import WorkerConfig

Stage = Literal["mapping", "synthesis", "translation"]

SHARES_UP_TO = 256
"""Sides, in pixels, up to which the CPU runs a batch as shares side by side. Eight of 512 took 2.8 GB so and 0.6 GB one
by one, eight of 1024 11.8 GB and 2.1 GB."""
GPU_BATCH_PIXELS = 4096
"""On a GPU a batch times the picture's side stays under this: as much memory for 32 faces of 128 as for 4 of 1024."""
UNKNOWN_SIDE = 512
"""What a translator, which takes any size, is reckoned at."""


@dataclass(frozen=True)
class LoadedModel:
    """Open engines, by stage."""

    manifest: ModelManifest
    engines: tuple[Engine, ...]

    @property
    def device(self) -> str:
        return self.engines[-1].device

    def warm(self) -> None:
        """Pay the costs of first runs now."""
        for engine in self.engines:
            engine.warm()

    def close(self) -> None:
        """Free the memory, also that which the C library would keep for later."""
        for engine in self.engines:
            engine.close()
        memory.give_back()


@dataclass(frozen=True)
class LoadedGenerator(LoadedModel):
    """A generator: mapping, then synthesis."""

    manifest: GeneratorManifest

    @property
    def mapping(self) -> Engine:
        return self.engines[0]

    @property
    def synthesis(self) -> Engine:
        return self.engines[1]


@dataclass(frozen=True)
class LoadedTranslator(LoadedModel):
    """A translator: one graph."""

    manifest: TranslatorManifest

    @property
    def translation(self) -> Engine:
        return self.engines[0]


def open_model(entry: ModelEntry, config: WorkerConfig, device: str) -> LoadedModel:
    """Open the engines of a model, not warmed yet. Raises EngineRefused, and whatever the runtime raises."""
    manifest = entry.manifest
    if isinstance(manifest, GeneratorManifest):
        mapping, synthesis = _open(entry, "mapping", config, device), None
        try:
            synthesis = _open(entry, "synthesis", config, mapping.device)
        finally:
            if synthesis is None:
                mapping.close()
        return LoadedGenerator(manifest, (mapping, synthesis))
    return LoadedTranslator(manifest, (_open(entry, "translation", config, device),))


def _open(entry: ModelEntry, stage: Stage, config: WorkerConfig, device: str) -> Engine:
    """On a GPU the stage's float16 graph where there is one."""
    half = None if runs_on_cpu(device) else _HALF.get(stage)
    path = entry.graph_path(half if half is not None and half in entry.manifest.graphs else stage)
    cache = Path(config.engine_cache) if config.engine_cache else None
    sizes = None if stage == "mapping" else _sizes_of_its_own(entry.manifest, device)
    engine = open_engine(path, device, config.threads, cache, sizes)
    if stage != "mapping" and engine.device == "cpu" != device:
        # `auto` has turned out to be the CPU, for which graph and sizes are others.
        engine.close()
        return _open(entry, stage, config, "cpu")
    return engine


_HALF: dict[Stage, GraphName] = {"synthesis": "synthesis_float16", "translation": "translation_float16"}


def largest_batch(manifest: ModelManifest, device: str) -> int:
    """How many items of a model are worth running at once."""
    if runs_on_cpu(device):
        return 8 if _side(manifest) <= SHARES_UP_TO else 1
    return max(size for size in GPU_BATCH_SIZES if size == 1 or size * _side(manifest) <= GPU_BATCH_PIXELS)


def memory_mb(manifest: ModelManifest, config: WorkerConfig, device: str) -> int:
    """What holding and running a model takes, in MB: an estimate that is meant to be a little high.

    The files hold weights as float16. Resident memory was measured on the CPU with onnxruntime 1.31 and StyleGAN2
    from 64x64 to 1024x1024: opening takes 6 times the files' bytes for a session, 10 times for the two that run shares;
    running takes 13 times the largest activation for each share (the arena doubles), which is that of 32768 / side
    channels, as the published networks have them, and for a small network no more than twice its files. Measured and
    estimated: 64x64 of 24 M parameters 636 and 913, 256x256 of 30 M 2,226 and 2,348, 512x512 of 25 M 594 and 1,180,
    1024x1024 of 30 M 2,112 and 2,128. On a GPU four activations for each item of the largest batch are reckoned; that
    was not measured.
    """
    files = sum(graph.bytes for graph in manifest.graphs.values())
    activation = min(2 * files, _side(manifest) * 32768 * 4)
    batch = largest_batch(manifest, device)
    if not runs_on_cpu(device):
        return _megabytes(6 * files + 4 * batch * activation)
    abreast = min(batch, 2 * (config.threads or os.cpu_count() or 1))
    return _megabytes((6 if batch == 1 else 10) * files + 13 * abreast * activation)


def _sizes_of_its_own(manifest: ModelManifest, device: str) -> tuple[int, ...] | None:
    """None where the device's own batch sizes do."""
    largest = largest_batch(manifest, device)
    if runs_on_cpu(device):
        return (1,) if largest == 1 else None
    return None if largest == GPU_BATCH_SIZES[-1] else tuple(size for size in GPU_BATCH_SIZES if size <= largest)


def _side(manifest: ModelManifest) -> int:
    return manifest.resolution if isinstance(manifest, GeneratorManifest) else UNKNOWN_SIDE


def _megabytes(count: int) -> int:
    return -(-count // 1_000_000)
