"""A real translator for tests: a randomly initialised CycleGAN ResNet of four filters, exported as any other."""

from pathlib import Path
from typing import Any

import pytest

BLOTS = "blots"
KWARGS: dict[str, Any] = {"ngf": 4, "n_blocks": 2}


@pytest.fixture(scope="session")
def translator_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the translator `blots` and nothing else, with its pictures before and after."""
    import torch
    from PIL import Image

    from models.export.export_model import ModelFacts, export_model
    from models.networks.translator import ResnetTranslator

    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = ResnetTranslator(**KWARGS)
    store = tmp_path_factory.mktemp("translators")
    facts = ModelFacts(name=BLOTS, licence="CC0-1.0", origin="random weights, for tests", title="Blots")
    export_model(network, "cyclegan", facts, store / BLOTS, kwargs=KWARGS, keep_weights=False)
    for name, colour in (("before", "navy"), ("after", "gold")):
        Image.new("RGB", (64, 48), colour).save(store / BLOTS / f"{name}.jpg")
    return store
