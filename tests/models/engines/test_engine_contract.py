"""What every engine must do, asked of each in turn on real graphs."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
from onnx import TensorProto, helper

from models.catalogue import open_model
from models.engines.devices import runs_on_cpu
from models.engines.engine import Array, Engine
from models.engines.errors import EngineRefused
from models.engines.opening import open_engine
from models.engines.openvino_engine import OpenVinoEngine, _precision

NATIVE_BF16 = pytest.param(
    "openvino:bf16",
    marks=pytest.mark.skipif(
        "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
        reason="this processor does not multiply bfloat16",
    ),
)
EXACT = ("cpu", "openvino:f32")
ALL = (*EXACT, NATIVE_BF16)


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`sums`: y = x + by in float32. `invert`: 255 - picture, of any height and width. `scale`: y = x * factor, by
    default 2."""
    folder = tmp_path_factory.mktemp("graphs")
    sums = helper.make_graph(
        [helper.make_node("Unsqueeze", ["by", "one"], ["column"]), helper.make_node("Add", ["x", "column"], ["y"])],
        "sums",
        [value("x", TensorProto.FLOAT, "batch", 3), value("by", TensorProto.FLOAT, "batch")],
        [value("y", TensorProto.FLOAT, "batch", 3)],
        initializer=[helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    invert = helper.make_graph(
        [helper.make_node("Sub", ["white", "picture"], ["inverted"])],
        "invert",
        [value("picture", TensorProto.UINT8, "batch", "4*height", "4*width", 3)],
        [value("inverted", TensorProto.UINT8, "batch", "4*height", "4*width", 3)],
        initializer=[helper.make_tensor("white", TensorProto.UINT8, [], [255])],
    )
    scale = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["y"])],
        "scale",
        [value("x", TensorProto.FLOAT, "batch", 3), value("factor", TensorProto.FLOAT, "batch", 1)],
        [value("y", TensorProto.FLOAT, "batch", 3)],
        initializer=[helper.make_tensor("factor", TensorProto.FLOAT, [1, 1], [2])],
    )
    paths = {}
    for graph in (sums, invert, scale):
        paths[graph.name] = folder / f"{graph.name}.onnx"
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        onnx.save(model, paths[graph.name])
    return paths


def value(name: str, kind: int, *axes: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, axes)


def sums_of(count: int, first: int = 0) -> dict[str, Array]:
    x = np.arange(count * 3, dtype=np.float32).reshape(count, 3) + first
    return {"x": x, "by": np.arange(count, dtype=np.float32)}


def expected(inputs: dict[str, Array]) -> Array:
    return inputs["x"] + inputs["by"][:, None]


@pytest.fixture(params=ALL)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(device: str, graphs: dict[str, Path]) -> Iterator[Engine]:
    opened = open_engine(graphs["sums"], device, threads=2)
    yield opened
    opened.close()


def test_it_says_where_it_runs(engine: Engine, device: str) -> None:
    assert engine.device == device
    assert runs_on_cpu(engine.device)
    assert engine.batch_sizes == (1, 2, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize("count", [1, 3, 8, 19])
def test_a_batch_of_any_size_comes_back_in_order(engine: Engine, count: int) -> None:
    engine.warm()
    inputs = sums_of(count)
    outputs = engine.run(inputs)
    assert set(outputs) == {"y"}
    # Exactly, in bf16 too: numbers that are no pictures are never rounded.
    np.testing.assert_array_equal(outputs["y"], expected(inputs))


def test_threads_may_run_it_at_once(engine: Engine) -> None:
    batches = [sums_of(1 + i % 5, first=100 * i) for i in range(40)]
    with ThreadPoolExecutor(6) as callers:
        for inputs, outputs in zip(batches, callers.map(engine.run, batches), strict=True):
            np.testing.assert_array_equal(outputs["y"], expected(inputs))


def test_outputs_stay_as_they_were(engine: Engine) -> None:
    first = engine.run(sums_of(1))["y"]
    engine.run(sums_of(1, first=50))
    np.testing.assert_array_equal(first, expected(sums_of(1)))


def test_inputs_must_agree_in_their_number(engine: Engine) -> None:
    with pytest.raises(ValueError, match="same number of items"):
        engine.run({"x": np.zeros((2, 3), np.float32), "by": np.zeros(3, np.float32)})


def test_an_input_that_is_missing_is_refused(engine: Engine) -> None:
    engine.run(sums_of(1))
    with pytest.raises(ValueError, match="by"):
        engine.run({"x": np.zeros((1, 3), np.float32)})


def test_pictures_of_any_size(device: str, graphs: dict[str, Path]) -> None:
    engine = open_engine(graphs["invert"], device, threads=2)
    engine.warm()
    random = np.random.default_rng(0)
    for shape in ((1, 8, 12, 3), (3, 12, 8, 3), (2, 32, 4, 3)):
        picture = random.integers(0, 256, shape, dtype=np.uint8)
        np.testing.assert_array_equal(engine.run({"picture": picture})["inverted"], 255 - picture)
    engine.close()


def test_an_input_with_a_default_may_be_given(device: str, graphs: dict[str, Path]) -> None:
    engine = open_engine(graphs["scale"], device, threads=2)
    x = sums_of(3)["x"]
    factor = np.array([[1], [10], [100]], np.float32)
    np.testing.assert_array_equal(engine.run({"x": x})["y"], 2 * x)
    np.testing.assert_array_equal(engine.run({"x": x, "factor": factor})["y"], factor * x)
    np.testing.assert_array_equal(engine.run({"x": x})["y"], 2 * x)
    engine.close()


def draw(device: str, folder: Path, count: int, **options: object) -> tuple[Array, Array]:
    """ws and pictures of the tiny generator."""
    entry = open_model(folder, "store")
    manifest = entry.generator
    random = np.random.default_rng(7)
    z = random.standard_normal((8, manifest.z_dim), dtype=np.float32)[:count]
    mapping, synthesis = (
        open_engine(entry.graph_path(name), device, threads=2, **options)  # type: ignore[arg-type]
        for name in ("mapping", "synthesis")
    )
    ws = mapping.run({"z": z, "psi": np.full((count, manifest.num_ws), 0.7, np.float32)})["ws"]
    picture = synthesis.run({"ws": ws, "noise_strength": np.ones(count, np.float32)})["picture"]
    mapping.close()
    synthesis.close()
    return ws, picture.astype(int)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_in_float32_engines_draw_the_same(tiny_model: Path, count: int) -> None:
    (ws, picture), (ws_too, picture_too) = (draw(device, tiny_model, count) for device in EXACT)
    assert picture.std() > 8, "a blank picture would say nothing"
    np.testing.assert_allclose(ws_too, ws, atol=1e-5)
    assert np.abs(picture_too - picture).max() <= 1
    assert (picture_too != picture).mean() <= 0.01


@pytest.mark.parametrize("device", [NATIVE_BF16])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_in_bfloat16_the_face_is_the_same_to_40_db(tiny_model: Path, device: str, count: int) -> None:
    (ws, picture), (ws_too, picture_too) = draw("cpu", tiny_model, count), draw(device, tiny_model, count)
    np.testing.assert_allclose(ws_too, ws, atol=1e-5)
    assert (picture_too != picture).any(), "were nothing different, it would not compute in bfloat16"
    errors = ((picture_too - picture) ** 2).mean(axis=(1, 2, 3))
    assert (10 * np.log10(255**2 / errors)).min() >= 40


def test_a_cache_is_filled_and_used(tiny_model: Path, tmp_path: Path) -> None:
    first = draw("openvino:f32", tiny_model, 3, cache=tmp_path)[1]
    kept = sorted(path.name for path in tmp_path.rglob("*.blob"))
    assert kept
    np.testing.assert_array_equal(draw("openvino:f32", tiny_model, 3, cache=tmp_path)[1], first)
    assert sorted(path.name for path in tmp_path.rglob("*.blob")) == kept


def test_openvino_is_bfloat16_where_the_processor_has_it() -> None:
    assert _precision("openvino", ["BF16", "FP32"]) == "bf16"
    assert _precision("openvino", ["FP32"]) == "f32"
    assert _precision("openvino:f32", ["BF16", "FP32"]) == "f32"
    with pytest.raises(EngineRefused, match=r"choose --device openvino:f32"):
        _precision("openvino:bf16", ["FP32", "FP16"])


@pytest.mark.parametrize("device", ["openvino:", "openvino:f16", "openvino:0"])
def test_a_precision_that_is_none_is_refused(device: str, graphs: dict[str, Path]) -> None:
    with pytest.raises(EngineRefused, match="are openvino, openvino:bf16 and openvino:f32"):
        open_engine(graphs["sums"], device)


def test_without_openvino_the_extra_is_named(graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EngineRefused, match=r"personne\[openvino\]"):
        OpenVinoEngine(graphs["sums"])
