"""The model `tiny` with ways back from its faces: a real gradient graph, and an encoder that has learnt nothing."""

import shutil
from pathlib import Path

import pytest

from tests.tiny_model import TINY


@pytest.fixture(scope="session")
def invertible_store(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds that model and nothing else."""
    import torch

    from models.catalogue import find_models
    from models.networks.encoder import EncoderNetwork
    from personne.commands.make_inverters import write_inverters

    store = tmp_path_factory.mktemp("invertible")
    shutil.copytree(tiny_store / TINY, store / TINY)
    entry = find_models(store, bundled=store / "none").named(TINY)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        encoder = EncoderNetwork(32, entry.generator.num_ws, 32, width=8, widest=16, hidden=16)
    write_inverters(entry, encoder)
    return store
