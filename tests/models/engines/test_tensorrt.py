"""What TensorRT is asked for, as far as a machine without it can tell: profiles, and where engines are kept."""

import re
from pathlib import Path

import onnxruntime
import pytest

from models.engines import tensorrt
from models.engines.buckets import Sides
from models.engines.tensorrt import cache_folder, gpu_name, tensorrt_options, tensorrt_version

GENERATOR = {"ws": [16, 512], "noise_strength": [], "transform": [3, 3]}
TRANSLATOR = {"picture": ["256*axis1", "256*axis2", 3]}


def profiles(options: dict[str, str]) -> list[str]:
    return [options[f"trt_profile_{which}_shapes"] for which in ("min", "opt", "max")]


def test_each_batch_size_has_a_profile_of_its_own_with_all_inputs() -> None:
    for batch in (1, 32):
        options = tensorrt_options(0, GENERATOR, batch, Sides(), Path("cache"))
        assert profiles(options) == [f"ws:{batch}x16x512,noise_strength:{batch},transform:{batch}x3x3"] * 3
        assert options["trt_engine_cache_prefix"] == f"batch{batch}"
        assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == "cache"


def test_a_translators_profile_spans_the_sizes_of_pictures() -> None:
    options = tensorrt_options(1, TRANSLATOR, 2, Sides(64, 300, 1024), Path("cache"))
    # 64 and 300 are no multiples of 256: the next.
    assert profiles(options) == ["picture:2x256x256x3", "picture:2x512x512x3", "picture:2x1024x1024x3"]
    assert options["trt_engine_cache_prefix"] == "batch2-sides64-300-1024"
    assert options["device_id"] == "1"


def test_the_options_bear_their_documented_names() -> None:
    """ONNX Runtime refuses to start the provider for a name that it does not know."""
    assert set(tensorrt_options(0, GENERATOR, 1, Sides(), Path("cache"))) == {
        "device_id",
        "trt_profile_min_shapes",
        "trt_profile_opt_shapes",
        "trt_profile_max_shapes",
        "trt_engine_cache_enable",
        "trt_engine_cache_path",
        "trt_engine_cache_prefix",
        "trt_timing_cache_enable",
        "trt_timing_cache_path",
    }


def test_without_a_cache_tensorrt_writes_no_file() -> None:
    assert not [name for name in tensorrt_options(0, {"z": [8]}, 1, Sides(), None) if "cache" in name]


def test_engines_of_another_graph_version_or_gpu_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.onnx", tmp_path / "other.onnx"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    folders = {cache_folder(tmp_path / "cache", one, "1.31.1", 0)}
    assert cache_folder(tmp_path / "cache", one, "1.31.1", 0) in folders, "the same again"
    folders.add(cache_folder(tmp_path / "cache", other, "1.31.1", 0))
    folders.add(cache_folder(tmp_path / "cache", one, "1.32.0", 0))
    monkeypatch.setattr(tensorrt, "tensorrt_version", lambda: "10.99")
    folders.add(cache_folder(tmp_path / "cache", one, "1.31.1", 0))
    monkeypatch.setattr(tensorrt, "gpu_name", lambda _index: "nvidia-h200-sm90")
    folders.add(cache_folder(tmp_path / "cache", one, "1.31.1", 0))
    assert len(folders) == 5
    assert all(folder.is_dir() for folder in folders)
    assert any(folder.name.endswith("onnxruntime-1.31.1_tensorrt-10.99_nvidia-h200-sm90") for folder in folders)


def test_the_gpu_is_named_by_its_driver_or_not_at_all() -> None:
    assert re.fullmatch(r"unknown-gpu|[a-z0-9-]+-sm\d{2,3}", gpu_name(0))
    assert re.fullmatch(r"system|\d+(\.\d+)+", tensorrt_version())


@pytest.mark.skipif(
    "TensorrtExecutionProvider" not in onnxruntime.get_available_providers(), reason="this ONNX Runtime has no TensorRT"
)
def test_onnxruntime_takes_the_options(tiny_model: Path, tmp_path: Path) -> None:
    from models.engines.onnx_engine import OnnxEngine

    engine = OnnxEngine(tiny_model / "synthesis.onnx", "tensorrt", None, tmp_path, (1, 2))
    engine.warm()
    assert list(tmp_path.rglob("batch2*.engine"))
    engine.close()
