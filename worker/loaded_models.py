"""The models that a worker has in memory, by digest."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.contract import Lane
from models.catalogue import Catalogue, ModelEntry
from models.engines.engine import Engine
from models.engines.errors import EngineRefused
from models.engines.onnx_engine import OnnxEngine
from models.manifest import GeneratorManifest
from worker.config import WorkerConfig
from worker.errors import ModelNotLoaded, NothingToServe

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A model and its open engines."""

    manifest: GeneratorManifest
    mapping: Engine
    synthesis: Engine

    def warm(self) -> None:
        """Pay the costs of first runs now."""
        self.mapping.warm()
        self.synthesis.warm()

    def close(self) -> None:
        self.mapping.close()
        self.synthesis.close()


class LoadedModels:
    """Opened and warmed at the start, all of them: a worker that says it is ready has no slow first request."""

    def __init__(self, catalogue: Catalogue, config: WorkerConfig) -> None:
        self._catalogue = catalogue
        self._config = config
        self._by_digest: dict[str, LoadedModel] = {}

    def open(self) -> None:
        """Open and warm every model that the configuration names, or all.

        One that cannot be opened stops no other. Raises NothingToServe when none is left, EngineRefused for a device
        that is not to be had, ModelNotFound for a name that the catalogue does not know.
        """
        reasons = [refusal.reason for refusal in self._catalogue.refusals]
        for entry in self._chosen():
            try:
                model = LoadedModel(entry.generator, self._engine(entry, "mapping"), self._engine(entry, "synthesis"))
                model.warm()
            except EngineRefused:
                raise
            except Exception as error:
                # Any of the runtime's own errors, whose classes are not ours to list.
                reasons.append(f"{entry.folder}: {error}")
                log.warning("%s cannot be opened: %s", entry.folder, error)
            else:
                self._by_digest[entry.manifest.digest] = model
                log.info("%s (%s) is warm on %s", entry.manifest.name, entry.manifest.digest, self.device)
        if not self._by_digest:
            raise NothingToServe(reasons)

    def get(self, digest: str) -> LoadedModel:
        """Raises ModelNotLoaded."""
        if digest not in self._by_digest:
            raise ModelNotLoaded(digest)
        return self._by_digest[digest]

    def digests(self) -> tuple[str, ...]:
        """Of the models that are open and warm."""
        return tuple(self._by_digest)

    @property
    def device(self) -> str:
        """Where the models run; what the configuration asks for until one is open."""
        return next((model.synthesis.device for model in self._by_digest.values()), self._config.device)

    def batch_limit(self, lane: Lane) -> int:
        """Most jobs of a lane in one batch. A model must be open.

        On the CPU a batch of eight takes about five times as long as one, so faces made ahead run singly there:
        somebody who waits gets the next turn after one picture, not after eight.
        """
        if lane is Lane.IDLE and self.device == "cpu":
            return 1
        return min(model.synthesis.batch_sizes[-1] for model in self._by_digest.values())

    def close(self) -> None:
        """Free the device."""
        while self._by_digest:
            self._by_digest.popitem()[1].close()

    def _chosen(self) -> list[ModelEntry]:
        if self._config.models:
            return [self._catalogue.named(name) for name in self._config.models]
        return list(self._catalogue)

    def _engine(self, entry: ModelEntry, graph: Literal["mapping", "synthesis"]) -> Engine:
        cache = Path(self._config.engine_cache) if self._config.engine_cache else None
        return OnnxEngine(entry.graph_path(graph), self._config.device, self._config.threads, cache)
