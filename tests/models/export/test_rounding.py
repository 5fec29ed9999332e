"""Weights are stored as float16 where nobody could see it, and as float32 where somebody could."""

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import TensorProto
from safetensors.torch import load_file
from torch import nn

from models.export.export_model import ModelFacts, export_model, graphs_of
from models.export.onnx_graph import round_to_half
from models.export.rounding import largest_change
from models.networks.stylegan2 import Generator
from models.networks.translator import ResnetTranslator

KWARGS: dict[str, Any] = {
    "z_dim": 16,
    "c_dim": 3,
    "w_dim": 16,
    "img_resolution": 16,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 256, "channel_max": 16},
}
TRANSLATOR: dict[str, Any] = {"ngf": 4, "n_blocks": 1}


def generator(contrast: float) -> Generator:
    """Its pictures are blots, with more contrast than any picture can show where it is large."""
    torch.manual_seed(3)
    network = Generator(**KWARGS).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("torgb.weight"):
                parameter.mul_(contrast)
    return network


def change(network: nn.Module, family: str, kwargs: dict[str, Any]) -> int:
    rounded = type(network)(**kwargs).eval()
    rounded.load_state_dict(network.state_dict())
    round_to_half(rounded)
    with torch.no_grad():
        return largest_change(graphs_of(network, family), graphs_of(rounded, family))


def test_the_largest_change_is_found() -> None:
    assert change(generator(0.1), "stylegan2", KWARGS) <= 1
    assert change(generator(50), "stylegan2", KWARGS) > 3
    torch.manual_seed(4)
    translator = ResnetTranslator(**TRANSLATOR).eval()
    assert change(translator, "cyclegan", TRANSLATOR) <= 1
    graphs = graphs_of(translator, "cyclegan")
    assert largest_change(graphs, graphs) == 0


@pytest.mark.parametrize("contrast", [0.1, 50])
def test_what_shows_stays_float32(contrast: float, tmp_path: Path) -> None:
    network = generator(contrast)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    facts = ModelFacts("tried", "CC0-1.0", "random weights")
    entry = export_model(
        network, "stylegan2", facts, tmp_path / "tried", kwargs=KWARGS, keep_weights=True, keep_exact=True
    )
    shows = contrast > 1
    assert (entry.manifest.metrics["rounding_levels"] > 1) is shows
    kept = load_file(entry.folder / "weights.safetensors")
    weight = "synthesis.b16.conv1.weight"
    assert torch.equal(kept[weight].float(), before[weight]) is shows
    assert kept[weight].dtype == (torch.float32 if shows else torch.float16)
    stored = {tensor.data_type for tensor in onnx.load(entry.graph_path("synthesis")).graph.initializer}
    assert (TensorProto.FLOAT16 in stored) is not shows


def test_an_export_rounds_whatever_shows(tmp_path: Path) -> None:
    facts = ModelFacts("tried", "CC0-1.0", "random weights")
    entry = export_model(generator(50), "stylegan2", facts, tmp_path / "tried", kwargs=KWARGS, keep_weights=True)
    assert "rounding_levels" not in entry.manifest.metrics
    assert load_file(entry.folder / "weights.safetensors")["synthesis.b16.conv1.weight"].dtype == torch.float16
