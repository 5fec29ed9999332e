"""The exported graphs are the network: at any batch, with any truncation, and nothing that disagrees is written."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from models.engines.onnx_engine import OnnxEngine
from models.export import export_model as story
from models.export.export_model import ModelFacts, export_model
from models.export.parity import MAX_WS_DIFFERENCE, ParityFailed, check_parity
from models.networks.stylegan2 import Generator

FACTS = ModelFacts(name="small", licence="CC0-1.0", origin="random weights, for tests")


def small_generator(**changes: Any) -> Generator:
    torch.manual_seed(0)
    arguments: dict[str, Any] = {
        "z_dim": 16,
        "c_dim": 0,
        "w_dim": 24,
        "img_resolution": 16,
        "img_channels": 3,
        "mapping_kwargs": {"num_layers": 2},
        "synthesis_kwargs": {"channel_base": 256, "channel_max": 24, "conv_clamp": 256},
    }
    generator = Generator(**{**arguments, **changes})
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.3)
        generator.mapping.w_avg.normal_()
    return generator


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"c_dim": 4},
        {"img_channels": 1},
        {"synthesis_kwargs": {"channel_base": 256, "channel_max": 24, "conv_clamp": 2.0, "architecture": "resnet"}},
        {"synthesis_kwargs": {"channel_base": 256, "channel_max": 24, "architecture": "orig"}},
        {"synthesis_kwargs": {"channel_base": 256, "channel_max": 24, "use_noise": False}},
    ],
    ids=["plain", "labels", "grey", "resnet, clamped", "orig", "no noise"],
)
def test_every_shape_of_generator_exports(changes: dict[str, Any], tmp_path: Path) -> None:
    entry = export_model(small_generator(**changes), FACTS, tmp_path / "small", keep_weights=False)
    assert 0 <= entry.manifest.metrics["parity_ws"] <= MAX_WS_DIFFERENCE
    assert sorted(path.name for path in entry.folder.iterdir()) == ["manifest.json", "mapping.onnx", "synthesis.onnx"]


def test_a_network_that_disagrees_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_another(generator: Generator, mapping: Path, synthesis: Path) -> dict[str, float]:
        with torch.no_grad():
            generator.synthesis.b16.conv1.weight.mul_(1.01).add_(0.02)
        return check_parity(generator, mapping, synthesis)

    monkeypatch.setattr(story, "check_parity", check_another)
    with pytest.raises(ParityFailed, match="Nothing was written"):
        export_model(small_generator(), FACTS, tmp_path / "small", keep_weights=False)
    assert list(tmp_path.iterdir()) == []


def test_noise_strength_and_psi_are_per_sample(tiny_model: Path) -> None:
    mapping, synthesis = (OnnxEngine(tiny_model / f"{name}.onnx", device="cpu") for name in ("mapping", "synthesis"))
    z_NZ = np.repeat(np.random.default_rng(0).standard_normal((1, 32), dtype=np.float32), 3, axis=0)
    psi_NL = np.array([[1.0] * 8, [0.0] * 8, [1.0] * 8], np.float32)
    ws_NLD = mapping.run({"z": z_NZ, "psi": psi_NL})["ws"]
    picture = synthesis.run({"ws": ws_NLD, "noise_strength": np.array([1, 1, 0], np.float32)})["picture"]
    assert picture.dtype == np.uint8
    assert picture.shape == (3, 32, 32, 3)
    assert np.allclose(ws_NLD[1], ws_NLD[1][:1]), "psi 0 gives the mean face in every layer"
    assert not np.allclose(ws_NLD[0], ws_NLD[1], atol=1e-3)
    assert (picture[0] != picture[2]).mean() > 0.2, "noise shows"


def test_files_are_half_size_and_carry_no_traces(tiny_model: Path) -> None:
    model = onnx.load(tiny_model / "synthesis.onnx")
    stored = {tensor.data_type for tensor in model.graph.initializer if np.prod(tensor.dims) >= 256}
    assert stored == {onnx.TensorProto.FLOAT16}
    content = (tiny_model / "synthesis.onnx").read_bytes()
    assert b"stack_trace" not in content
    assert b".py" not in content


def test_weights_beside_the_graphs_are_those_of_the_graphs(tiny_model: Path) -> None:
    weights = load_file(tiny_model / "weights.safetensors")
    generator = Generator(
        32,
        0,
        32,
        32,
        3,
        mapping_kwargs={"num_layers": 2},
        synthesis_kwargs={"channel_base": 512, "channel_max": 32, "conv_clamp": 256},
    )
    generator.load_state_dict(weights)
    again = check_parity(generator.eval(), tiny_model / "mapping.onnx", tiny_model / "synthesis.onnx")
    assert again["parity_levels"] <= 1
