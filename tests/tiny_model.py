"""A real model for tests: a randomly initialised 32x32 StyleGAN2, exported as any other. Its pictures are blots."""

from pathlib import Path
from typing import Any

import pytest

TINY = "tiny"
KWARGS: dict[str, Any] = {
    "z_dim": 32,
    "c_dim": 0,
    "w_dim": 32,
    "img_resolution": 32,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 512, "channel_max": 32, "conv_clamp": 256},
}


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the model `tiny` and nothing else."""
    import torch

    from models.export.export_model import ModelFacts, export_model
    from models.networks.stylegan2 import Generator

    with torch.random.fork_rng():
        torch.manual_seed(1)
        generator = Generator(**KWARGS)
        with torch.no_grad():
            for name, parameter in generator.named_parameters():
                if name.endswith("noise_strength"):
                    parameter.fill_(0.1)
            generator.mapping.w_avg.copy_(generator.mapping(torch.randn(4096, 32))[:, 0].mean(0))
    store = tmp_path_factory.mktemp("store")
    facts = ModelFacts(name=TINY, licence="CC0-1.0", origin="random weights, for tests")
    export_model(generator, "stylegan2", facts, store / TINY, kwargs=KWARGS, keep_weights=True)
    return store


@pytest.fixture(scope="session")
def tiny_model(tiny_store: Path) -> Path:
    """The folder of the model `tiny`."""
    return tiny_store / TINY
