from pathlib import Path

import pytest

from models.catalogue import Catalogue, find_models
from tests.worker.bench import Bench


@pytest.fixture(scope="session")
def tiny_catalogue(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The model `tiny` and nothing else."""
    return find_models(tiny_store, bundled=tmp_path_factory.mktemp("nothing-bundled"))


@pytest.fixture(scope="session")
def tiny_digest(tiny_catalogue: Catalogue) -> str:
    return tiny_catalogue.named("tiny").manifest.digest


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the web runs on."""
    return "asyncio"


@pytest.fixture
def bench(tiny_catalogue: Catalogue) -> Bench:
    return Bench(tiny_catalogue)
