"""The typed float16 graphs: what is float16 in them, how near their pictures are, and what the gate lets through."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from models.catalogue import ModelEntry
from models.engines.onnx_engine import OnnxEngine
from models.export.export_model import ModelFacts, export_model, graphs_of
from models.export.float16_graph import emulated, to_float16
from models.export.float16_range import within_float16
from models.export.onnx_graph import draw_graph, save_graph
from models.export.parity import MIN_PSNR, ParityFailed, compare_float16
from tests.models.export.types_of import types_of
from tests.tiny_networks import tiny_network

UNCLAMPED = {"channel_base": 256, "channel_max": 24, "conv_clamp": None}
FACTS = ModelFacts(name="small", licence="CC0-1.0", origin="random weights, for tests")


def exported(name: str, folder: Path, **changes: Any) -> ModelEntry:
    network, family, kwargs = tiny_network(name, **changes)
    return export_model(network, family, FACTS, folder / "small", kwargs=kwargs, keep_weights=False, float16=True)


@pytest.fixture(scope="module")
def stylegan2(tmp_path_factory: pytest.TempPathFactory) -> ModelEntry:
    return exported("stylegan2", tmp_path_factory.mktemp("float16"))


def test_demodulation_and_skip_are_float32(stylegan2: ModelEntry) -> None:
    path = stylegan2.folder / "synthesis_float16.onnx"
    types, model = types_of(path), onnx.load(path)
    convolutions = [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    of_picture = [node for node in convolutions if types[node.output[0]] == TensorProto.FLOAT]
    assert len(convolutions) == 12
    assert len(of_picture) == 2, "the filter of the skip at 8 and 16, nothing else"
    for kind in ("MatMul", "Gemm", "ReduceSum", "Sqrt", "Reciprocal"):
        assert {types[node.output[0]] for node in model.graph.node if node.op_type == kind} == {TensorProto.FLOAT}


def test_nothing_is_lost_to_nan_over_10000_seeds(stylegan2: ModelEntry) -> None:
    network, family, _ = tiny_network("stylegan2")
    graph = graphs_of(network, family)["synthesis"]
    paths = [stylegan2.folder / f"synthesis{suffix}.onnx" for suffix in ("", "_float16")]
    found = compare_float16("synthesis_float16", graph, *paths, seeds=10_000)
    assert found.finite
    assert found.psnr >= MIN_PSNR
    assert found.agrees


def test_the_range_is_kept_without_changing_the_picture() -> None:
    network, _, _ = tiny_network("stylegan2", synthesis_kwargs=UNCLAMPED)
    ranged: Any = within_float16(network)
    for name, parameter in ranged.named_parameters():
        if "conv" in name and name.endswith(".weight") and parameter.ndim == 4:
            assert parameter.abs().amax() * parameter[0].numel() ** 0.5 <= 1.0001
    assert ranged.synthesis.b16.conv1.conv_clamp == 256
    z_NZ = torch.randn(4, 16, generator=torch.Generator().manual_seed(0))
    difference = (ranged(z_NZ, noise_mode="const") - network(z_NZ, noise_mode="const")).abs().max()
    assert difference < 1e-4
    assert network.synthesis.b16.conv1.conv_clamp is None, "the network itself stays as it was"


def test_a_network_that_exceeds_float16_is_refused(tmp_path: Path) -> None:
    network: Any
    network, family, kwargs = tiny_network("dcgan")
    first, norm = network.synthesis.main[0], network.synthesis.main[1]
    with torch.no_grad():
        # The weights fit, their sums do not; the batch norm behind takes the factor out again.
        factor = 60000 / first.weight.abs().max()
        first.weight.mul_(factor)
        norm.running_mean.mul_(factor)
        norm.running_var.mul_(factor**2)
    with pytest.raises(ParityFailed, match=r"synthesis_float16: .*float16"):
        export_model(network, family, FACTS, tmp_path / "small", kwargs=kwargs, keep_weights=False, float16=True)
    assert list(tmp_path.iterdir()) == []


def test_emulation_overflows_and_rounds_where_the_cpu_runtime_would_not(tmp_path: Path) -> None:
    """x * 30000 / 30000 in float16: 100 becomes infinite, 1.0007 is rounded."""
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["half", "large"], ["product"]),
        helper.make_node("Mul", ["product", "small"], ["back"]),
        helper.make_node("Cast", ["back"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Clip", ["wide", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["picture"], to=TensorProto.UINT8),
    ]
    constants = {
        "large": np.full((1, 1, 1, 1), 30000, np.float16),
        "small": np.array(1 / 30000, np.float16),
        "low": np.array(0, np.float32),
        "high": np.array(255, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "overflow",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, 1, 1])],
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["batch", 1, 1, 1])],
        initializer=[numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(emulated(model), tmp_path / "emulated.onnx")
    outputs = OnnxEngine(tmp_path / "emulated.onnx", "cpu", batch_sizes=(2,)).run(
        {"x": np.array([100, 1], np.float32).reshape(2, 1, 1, 1)}
    )
    assert np.isnan(outputs["poison"][0]), "3e6 is no float16"
    assert outputs["poison"][1] == 0


def test_a_float16_graph_stores_each_weight_once(tmp_path: Path) -> None:
    network, family, _ = tiny_network("cyclegan")
    graph = graphs_of(network, family)["translation"]
    save_graph(to_float16(draw_graph(graph)), tmp_path / "half.onnx")
    model = onnx.load(tmp_path / "half.onnx")
    names = {tensor.name for tensor in model.graph.initializer}
    assert "model.4.weight.half" in names
    assert len(names) == len(model.graph.initializer)
    used = {name for node in model.graph.node if node.op_type == "Conv" for name in node.input}
    assert "model.4.weight.half" in used, "a convolution takes the stored float16 as it is"
