"""The exported graphs are the network, whatever its family, and nothing that disagrees is written."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from safetensors import safe_open
from safetensors.torch import load_file

from models.catalogue import ModelEntry
from models.engines.onnx_engine import OnnxEngine
from models.errors import ModelRefused
from models.export import export_model as story
from models.export.export_model import ModelFacts, export_model, graphs_of
from models.export.parity import MAX_WS_DIFFERENCE, MIN_PSNR, ParityFailed
from models.networks.architectures import TRANSLATORS, build
from tests.models.export.types_of import types_of
from tests.tiny_networks import TINY_NETWORKS, tiny_network

FACTS = ModelFacts(name="small", licence="CC0-1.0", origin="random weights, for tests", title="Small")
Small = Callable[[str], tuple[ModelEntry, torch.nn.Module]]
SMALL = {"channel_base": 256, "channel_max": 24}


def exported(name: str, folder: Path, *, float16: bool = False, **changes: Any) -> tuple[ModelEntry, torch.nn.Module]:
    network, family, kwargs = tiny_network(name, **changes)
    entry = export_model(network, family, FACTS, folder / "small", kwargs=kwargs, keep_weights=True, float16=float16)
    return entry, network


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A tiny network by its name, exported once with its float16 twins, and the network."""
    return cache(lambda name: exported(name, tmp_path_factory.mktemp(name), float16=True))


@pytest.mark.parametrize("name", TINY_NETWORKS)
def test_every_family_exports_and_answers_as_the_network_does(name: str, small: Small) -> None:
    entry, network = small(name)
    assert 0 < entry.manifest.metrics["parity_batch"] <= 8
    for graph_name, graph in graphs_of(network, entry.manifest.family).items():
        side = 64 if entry.manifest.family in TRANSLATORS else 0
        inputs = graph.random_inputs(np.random.default_rng(7), 2, side, side)
        engine = OnnxEngine(entry.folder / f"{graph_name}.onnx", "cpu", threads=1)
        found = engine.run(inputs)[graph.output]
        engine.close()
        expected = graph(*(torch.from_numpy(array) for array in inputs.values())).numpy()
        assert found.std() > 0.3, "an even picture would prove nothing"
        if graph.output == "ws":
            assert np.abs(found - expected).max() <= MAX_WS_DIFFERENCE
        else:
            assert found.dtype == np.uint8
            assert found.shape == (2, side or 16, side or 16, 3)
            assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", TINY_NETWORKS)
def test_every_family_has_a_float16_graph_that_looks_the_same(name: str, small: Small) -> None:
    entry, _ = small(name)
    assert entry.manifest.metrics["float16_psnr"] >= MIN_PSNR
    assert entry.manifest.metrics["float16_seeds"] == 64
    half = next(path for path in entry.folder.iterdir() if "_float16" in path.name)
    types, nodes = types_of(half), onnx.load(half).graph.node
    convolutions = {types[node.output[0]] for node in nodes if "Conv" in node.op_type}
    # StyleGAN2's skip is float32, its filters included.
    assert convolutions == {TensorProto.FLOAT16} | ({TensorProto.FLOAT} if name == "stylegan2" else set())
    for node in nodes:
        if node.op_type in ("InstanceNormalization", "Gemm", "ReduceMean", "ReduceSum", "Tanh", "Sin"):
            assert types[node.output[0]] == TensorProto.FLOAT, f"{node.op_type} is float32"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("stylegan2", {"c_dim": 4, "img_channels": 1}),
        ("stylegan2", {"synthesis_kwargs": {**SMALL, "conv_clamp": 2.0, "architecture": "resnet"}}),
        ("stylegan2", {"synthesis_kwargs": {**SMALL, "architecture": "orig"}}),
        ("stylegan2", {"img_channels": 4, "synthesis_kwargs": {**SMALL, "use_noise": False}}),
        ("stylegan1", {"fused_scale": True}),
        ("cyclegan", {"input_nc": 1, "output_nc": 4, "norm": "batch", "upsample": "resize"}),
        ("pix2pix", {"input_nc": 4, "output_nc": 1, "evaluation": "batch"}),
        ("cyclegan", {"input_nc": 4, "task": "inpaint", "norm": "none", "residual": True}),
    ],
    ids=[
        "labels, grey",
        "resnet, clamped",
        "orig",
        "opacity, no noise",
        "fused",
        "grey in",
        "each picture's own",
        "a mask beside it",
    ],
)
def test_every_shape_of_network_exports(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    entry, _ = exported(name, tmp_path, **changes)
    assert entry.manifest.metrics["parity_levels"] <= 1
    assert entry.manifest.kwargs.items() >= changes.items(), "the manifest says how the network was built"


def test_a_translator_takes_any_batch_height_and_width(small: Small) -> None:
    entry, network = small("pix2pix")
    assert entry.translator.size_multiple == 32
    assert (entry.translator.ngf, entry.translator.title) == (8, "Small")
    engine = OnnxEngine(entry.graph_path("translation"), "cpu", threads=1)
    for shape in ((1, 32, 96, 3), (2, 96, 64, 3), (5, 32, 32, 3)):
        picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        expected = graphs_of(network, "pix2pix")["translation"](torch.from_numpy(picture)).numpy()
        found = engine.run({"picture": picture})["translation"]
        assert found.shape == shape
        assert np.abs(found.astype(int) - expected).max() <= 1
    engine.close()


def test_a_network_that_disagrees_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, family, kwargs = tiny_network("cyclegan")
    save_graph = story.save_graph

    def save_another(model: onnx.ModelProto, path: Path, *, exact: bool) -> None:
        """As if the exporter had got one weight wrong."""
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "model.4.weight")
        wrong = onnx.numpy_helper.to_array(tensor) * np.float32(1.05) + np.float32(0.01)
        tensor.CopyFrom(onnx.numpy_helper.from_array(wrong, tensor.name))
        save_graph(model, path, exact=exact)

    monkeypatch.setattr(story, "save_graph", save_another)
    with pytest.raises(ParityFailed, match=r"translation: .* levels \(limit 1\).*Nothing was written"):
        export_model(network, family, FACTS, tmp_path / "small", kwargs=kwargs, keep_weights=False)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_two_channels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"2 channels cannot be served; 1 \(grey\), 3 and 4"):
        exported("dcgan", tmp_path, img_channels=2)
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


def test_stylegan3_turns_each_picture_its_own_way(small: Small) -> None:
    entry, _ = small("stylegan3-r")
    assert entry.generator.takes_transform
    engine = OnnxEngine(entry.graph_path("synthesis"), "cpu", threads=1)
    ws_NLD = np.repeat(np.random.default_rng(0).standard_normal((1, entry.generator.num_ws, 24)), 2, 0)
    turned = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, -1, 0], [1, 0, 0], [0, 0, 1]]], np.float32)
    ones = np.ones(2, np.float32)
    inputs = {"ws": ws_NLD.astype(np.float32), "noise_strength": ones, "transform": turned}
    upright, aside = engine.run(inputs)["picture"].astype(int)
    engine.close()
    assert np.abs(upright - aside).mean() > 5


def test_files_are_half_size_and_carry_no_traces(tiny_model: Path) -> None:
    model = onnx.load(tiny_model / "synthesis.onnx")
    stored = {tensor.data_type for tensor in model.graph.initializer if np.prod(tensor.dims) >= 256}
    assert stored == {onnx.TensorProto.FLOAT16}
    content = (tiny_model / "synthesis.onnx").read_bytes()
    assert b"stack_trace" not in content
    assert b".py" not in content


@pytest.mark.parametrize("name", ["stylegan1", "pggan", "pix2pix"])
def test_weights_beside_the_graphs_rebuild_the_network(name: str, tmp_path: Path) -> None:
    entry, network = exported(name, tmp_path)
    path = entry.folder / "weights.safetensors"
    again = build(entry.manifest.family, entry.manifest.kwargs, load_file(path))
    for (key, found), expected in zip(again.state_dict().items(), network.state_dict().values(), strict=True):
        assert torch.equal(found, expected), key
    with safe_open(path, "pt") as file:
        assert file.metadata()["family"] == entry.manifest.family
