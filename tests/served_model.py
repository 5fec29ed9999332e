"""The model that `personne` serves as a process: the bundled one, or while there is none, one with random weights."""

from pathlib import Path

import pytest

from models.catalogue import find_models
from tests.tiny_model import TINY

BUNDLED_MODEL = "faces"


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of a `personne` that has a model to serve."""
    nothing_here = tmp_path_factory.mktemp("empty-store")
    if BUNDLED_MODEL in {entry.manifest.name for entry in find_models(nothing_here)}:
        return {"PERSONNE_STORE": str(nothing_here), "PERSONNE_DEFAULT_MODEL": BUNDLED_MODEL}
    store: Path = request.getfixturevalue("tiny_store")
    return {"PERSONNE_STORE": str(store), "PERSONNE_DEFAULT_MODEL": TINY}


@pytest.fixture(scope="session")
def side(served: dict[str, str]) -> int:
    """Of the served model's pictures, in pixels."""
    entry = find_models(Path(served["PERSONNE_STORE"])).named(served["PERSONNE_DEFAULT_MODEL"])
    return entry.manifest.resolution
