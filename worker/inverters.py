"""The small graphs around generators: the face locator, and what leads from a face back to its latent."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from models.catalogue import ModelEntry, check_file
from models.engines.engine import Engine
from models.engines.opening import open_engine
from models.inversion import Inverter
from models.locating import Locator
from models.locator_files import open_locator
from models.manifest import GraphSpec, InverterName
from worker.config import WorkerConfig
from worker.errors import ModelNotLoaded
from worker.loaded_model import LoadedGenerator

EntryOf = Callable[[str], ModelEntry | None]
"""A model as it is on the shelf, by its digest."""
MOST_OPEN = 4
"""Graphs of generators that stay open; each takes about six times its file."""


def nothing_on_the_shelf(_: str) -> None:
    """For those who invert nothing."""


class Inverters:
    """Opened when first asked for. Thread-safe."""

    def __init__(self, config: WorkerConfig, entry_of: EntryOf = nothing_on_the_shelf) -> None:
        self._config = config
        self._entry_of = entry_of
        self._locator: Locator | None = None
        # By the file's hash, oldest use first.
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._turn = threading.Lock()

    def locator(self) -> Locator:
        """The bundled one, on the CPU: it takes less than a photo's decoding. Raises ModelRefused, EngineRefused."""
        with self._turn:
            if self._locator is None:
                self._locator = open_locator(self._config.threads)
            return self._locator

    def inverter(self, generator: LoadedGenerator) -> Inverter:
        """A generator's ways back, as its manifest says now. Raises ModelNotLoaded, ModelRefused, EngineRefused."""
        entry = self._entry_of(generator.manifest.digest)
        if entry is None:
            raise ModelNotLoaded(generator.manifest.digest)
        graphs = entry.generator.inverters
        with self._turn:
            encoder, gradient = (self._engine(entry, name, graphs.get(name), generator) for name in _NAMES)
        return Inverter(generator, encoder, gradient)

    def _engine(
        self, entry: ModelEntry, name: InverterName, graph: GraphSpec | None, generator: LoadedGenerator
    ) -> Engine | None:
        if graph is None:
            return None
        if graph.sha256 not in self._engines:
            check_file(entry.folder, name, graph)
            # TensorRT would build an engine for minutes, for a graph that somebody runs now and then.
            device = generator.device.replace("tensorrt", "cuda")
            device = device if device.startswith("cuda") else "cpu"
            self._engines[graph.sha256] = _opened(entry.folder / graph.file, device, self._config.threads)
            while len(self._engines) > MOST_OPEN:
                # Not closed: another thread may run it. It goes when nobody holds it any more.
                self._engines.popitem(last=False)
        self._engines.move_to_end(graph.sha256)
        return self._engines[graph.sha256]


def _opened(path: Path, device: str, threads: int | None) -> Engine:
    return open_engine(path, device, threads, batch_sizes=(1,))


_NAMES: tuple[InverterName, InverterName] = ("encoder", "gradient")
