import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from models.catalogue import open_model
from models.engines.buckets import GPU_BATCH_SIZES, Sides
from models.engines.devices import Device
from models.engines.engine import Engine
from models.engines.errors import EngineRefused
from models.engines.onnx_engine import OnnxEngine, _BoundRun
from models.latents import seed_to_z


@pytest.fixture(scope="session")
def scale_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph small enough to reason about: y = x * by, x [N, 3], by [N]; and how many items it was given."""
    nodes = [
        helper.make_node("Unsqueeze", ["by", "one"], ["column"]),
        helper.make_node("Mul", ["x", "column"], ["y"]),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["items"]),
        helper.make_node("Shape", ["by"], ["by_shape"]),
        helper.make_node("Expand", ["items", "by_shape"], ["count"]),
    ]
    constants = [
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("zero", TensorProto.INT64, [], [0]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3]),
        helper.make_tensor_value_info("by", TensorProto.FLOAT, ["batch"]),
    ]
    outputs = [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3]),
        helper.make_tensor_value_info("count", TensorProto.INT64, ["batch"]),
    ]
    graph = helper.make_graph(nodes, "scale", inputs, outputs, initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path = tmp_path_factory.mktemp("graphs") / "scale.onnx"
    onnx.save(model, path)
    return path


def items(count: int) -> dict[str, np.ndarray]:
    return {
        "x": np.arange(count * 3, dtype=np.float32).reshape(count, 3),
        "by": np.arange(1, count + 1, dtype=np.float32),
    }


def test_it_is_an_engine(scale_graph: Path) -> None:
    engine: Engine = OnnxEngine(scale_graph, "cpu", threads=1)
    assert engine.device == "cpu"
    assert engine.batch_sizes == (1, 2, 3, 4, 5, 6, 7, 8)
    engine.warm()
    inputs = items(3)
    np.testing.assert_array_equal(engine.run(inputs)["y"], inputs["x"] * inputs["by"][:, None])
    engine.close()


def test_auto_is_the_best_that_this_installation_has(scale_graph: Path) -> None:
    assert OnnxEngine(scale_graph).device == "cpu"


def test_a_device_that_is_not_installed_is_refused(scale_graph: Path) -> None:
    with pytest.raises(EngineRefused, match=r"CUDAExecutionProvider.*personne\[gpu\]"):
        OnnxEngine(scale_graph, "cuda")


@pytest.mark.parametrize(
    ("count", "ran"), [(1, [1]), (3, [1] * 3), (8, [2] * 8), (11, [3] * 9 + [2] * 2), (40, [8] * 40)]
)
def test_the_cpu_runs_a_batch_as_shares_side_by_side(scale_graph: Path, count: int, ran: list[int]) -> None:
    engine = OnnxEngine(scale_graph, "cpu", threads=2)
    inputs = items(count)
    outputs = engine.run(inputs)
    assert outputs["count"].tolist() == ran
    np.testing.assert_array_equal(outputs["y"], inputs["x"] * inputs["by"][:, None])
    engine.close()


@pytest.mark.parametrize(("count", "ran"), [(1, 1), (3, 4), (9, 16), (32, 32)])
def test_buckets_pad_and_give_back_only_what_was_asked(scale_graph: Path, count: int, ran: int) -> None:
    inputs = items(count)
    outputs = OnnxEngine(scale_graph, "cpu", batch_sizes=GPU_BATCH_SIZES).run(inputs)
    assert outputs["count"].tolist() == [ran] * count
    np.testing.assert_array_equal(outputs["y"], inputs["x"] * inputs["by"][:, None])


def test_bound_buffers_take_new_values_at_every_run(scale_graph: Path) -> None:
    """The way that GPUs run, on the CPU's memory."""
    session = onnxruntime.InferenceSession(str(scale_graph), providers=["CPUExecutionProvider"])
    first, second = items(4), {name: array + 1 for name, array in items(4).items()}
    bound = _BoundRun(onnxruntime, session, Device("cpu"), first, ["y", "count"])
    kept = bound.run(first)[0]
    y, count = bound.run(second)
    np.testing.assert_array_equal(y, second["x"] * second["by"][:, None])
    assert count.tolist() == [4] * 4
    np.testing.assert_array_equal(kept, first["x"] * first["by"][:, None])


@pytest.fixture(scope="session")
def picture_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph of free size: y = 255 - x and z = x by, x bytes [N, 4h, 4w, 3] and by float16."""
    nodes = [
        helper.make_node("Sub", ["full", "x"], ["y"]),
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Mul", ["half", "by"], ["z"]),
    ]
    shape = ["batch", "4*h", "4*w", 3]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.UINT8, shape),
        helper.make_tensor_value_info("by", TensorProto.FLOAT16, ["batch", 1, 1, 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("y", TensorProto.UINT8, shape),
        helper.make_tensor_value_info("z", TensorProto.FLOAT16, shape),
    ]
    full = helper.make_tensor("full", TensorProto.UINT8, [], [255])
    graph = helper.make_graph(nodes, "invert", inputs, outputs, initializer=[full])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path = tmp_path_factory.mktemp("graphs") / "invert.onnx"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("batch_sizes", [None, GPU_BATCH_SIZES])
def test_pictures_of_any_size_in_bytes_and_float16(picture_graph: Path, batch_sizes: tuple[int, ...] | None) -> None:
    engine = OnnxEngine(picture_graph, "cpu", 1, None, batch_sizes, sides=Sides(usual=30))
    engine.warm()
    for count, height, width in ((1, 8, 12), (3, 16, 4), (33, 4, 4)):
        x = np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
        outputs = engine.run({"x": x, "by": np.full((count, 1, 1, 1), 0.5, np.float16)})
        np.testing.assert_array_equal(outputs["y"], 255 - x)
        assert outputs["z"].dtype == np.float16
        np.testing.assert_array_equal(outputs["z"], x.astype(np.float16) / 2)
    engine.close()


def test_a_seed_gives_the_same_picture_alone_and_in_company(tiny_model: Path) -> None:
    entry = open_model(tiny_model, "store")
    manifest = entry.manifest
    mapping = OnnxEngine(entry.graph_path("mapping"), "cpu", batch_sizes=GPU_BATCH_SIZES)
    synthesis = OnnxEngine(entry.graph_path("synthesis"), "cpu", batch_sizes=GPU_BATCH_SIZES)

    def pictures(seeds: list[int]) -> np.ndarray:
        z = np.concatenate([seed_to_z(seed, manifest.z_dim) for seed in seeds])
        psi = np.full((len(seeds), manifest.num_ws), 0.7, np.float32)
        ws = mapping.run({"z": z, "psi": psi})["ws"]
        return synthesis.run({"ws": ws, "noise_strength": np.ones(len(seeds), np.float32)})["picture"].astype(int)

    seeds = list(range(32))
    alone = np.concatenate([pictures([seed]) for seed in seeds])
    assert np.abs(alone[0] - alone[1]).max() > 8, "two seeds must differ for this test to say anything"
    for size in (1, 2, 3, 4, 5, 8, 13, 16, 32):
        together = np.concatenate([pictures(seeds[start : start + size]) for start in range(0, 32, size)])
        assert np.abs(together - alone).max() <= 1, f"in batches of {size}"


def test_the_protocol_needs_no_runtime() -> None:
    program = "import sys, models.engines.engine; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
