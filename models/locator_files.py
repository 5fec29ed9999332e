"""The bundled face locator: its graphs, and what is said of them."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.catalogue import BUNDLED, check_file
from models.engines.opening import open_engine
from models.errors import ModelRefused
from models.locating import Locator
from models.manifest import GraphSpec, TrainingData

LOCATOR_FOLDER = BUNDLED / "locator"
LOCATOR_FILE = "locator.json"
"""Not manifest.json: it is no model that one chooses, and no catalogue lists it."""
BATCHES = (1, 2, 4, 8)


class LocatorDescription(BaseModel):
    """locator.json. metrics: as `python -m benchmarks.locator` measured them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    graph: GraphSpec
    """That finds faces."""
    landmarks: GraphSpec | None = None
    """That looks at each from close by."""
    licence: str
    origin: str
    training_data: tuple[TrainingData, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)


def read_locator(folder: Path = LOCATOR_FOLDER) -> LocatorDescription:
    """Raises ModelRefused."""
    try:
        return LocatorDescription.model_validate_json((folder / LOCATOR_FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ModelRefused(f"{folder} holds no face locator that can be read: {error}") from error


def open_locator(threads: int | None = None, folder: Path = LOCATOR_FOLDER) -> Locator:
    """The locator on the CPU. Raises ModelRefused where a file is not what its description says, EngineRefused."""
    description = read_locator(folder)
    graphs = [graph for graph in (description.graph, description.landmarks) if graph is not None]
    for graph in graphs:
        check_file(folder, "locator", graph)
    engines = [open_engine(folder / graph.file, "cpu", threads, batch_sizes=BATCHES) for graph in graphs]
    return Locator(*engines)
