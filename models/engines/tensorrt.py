"""TensorRT behind ONNX Runtime: an engine for each batch size, with an explicit profile, kept where only it can match.

An engine is built for one graph, one batch size, one TensorRT, one ONNX Runtime and one kind of GPU; that takes
minutes, and an engine of another of these would be refused or be wrong. So each has a folder of its own in the cache.
"""

import ctypes
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from models.engines.buckets import Sides

PACKAGES = ("tensorrt-cu13-libs", "tensorrt-cu12-libs", "tensorrt")
"""Where TensorRT comes from, as packages; a library of the system's own has no version that could be read here."""
MAJOR, MINOR = 75, 76
"""The driver's numbers of the two parts of a compute capability."""
Axes = Sequence[int | str | None]
"""Sizes of an input without its batch; what is no number is free."""


def tensorrt_options(
    index: int, shapes: Mapping[str, Axes], batch: int, sides: Sides, cache: Path | None
) -> dict[str, str]:
    """Options of the TensorRT provider for one batch size, by their documented names.

    shapes: of each input. sides: the least, usual and greatest size of a free axis. cache: `cache_folder`, or None to
    build anew at every start. With an explicit profile nothing is ever built in traffic; what lies outside of it is
    refused. TensorRT uses TF32 unless the process was started with NVIDIA_TF32_OVERRIDE=0: no option turns it off.
    """
    options = {
        "device_id": str(index),
        "trt_profile_min_shapes": _profile(shapes, batch, sides, "smallest"),
        "trt_profile_opt_shapes": _profile(shapes, batch, sides, "usual"),
        "trt_profile_max_shapes": _profile(shapes, batch, sides, "largest"),
    }
    if cache is not None:
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(cache),
            "trt_engine_cache_prefix": _engine_name(shapes, batch, sides),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(cache),
        }
    return options


def cache_folder(cache: Path, graph: Path, runtime_version: str, index: int) -> Path:
    """The folder of this graph's engines under `cache`, named by graph, ONNX Runtime, TensorRT and kind of GPU."""
    with graph.open("rb") as file:
        graph_hash = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    parts = (graph_hash, f"onnxruntime-{runtime_version}", f"tensorrt-{tensorrt_version()}", gpu_name(index))
    folder = cache / "_".join(parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tensorrt_version() -> str:
    """Of the installed package; `system` where TensorRT is not installed as one."""
    for package in PACKAGES:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return "system"


def gpu_name(index: int) -> str:
    """`nvidia-h200-sm90`, from the driver; `unknown-gpu` where there is none to ask."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "unknown-gpu"
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), index) or driver.cuDeviceGetName(name, 256, device):
        return "unknown-gpu"
    capability = ""
    for part in (MAJOR, MINOR):
        value = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(value), part, device)
        capability += str(value.value)
    return f"{_slug(name.value.decode(errors='replace'))}-sm{capability}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _engine_name(shapes: Mapping[str, Axes], batch: int, sides: Sides) -> str:
    """Batch and, where sides are free, their range: an engine of another range would refuse what this one takes."""
    is_free = any(not isinstance(size, int) for axes in shapes.values() for size in axes)
    return f"batch{batch}" + (f"-sides{sides.smallest}-{sides.usual}-{sides.largest}" if is_free else "")


def _profile(shapes: Mapping[str, Axes], batch: int, sides: Sides, which: str) -> str:
    """`ws:8x12x128,noise_strength:8`"""
    sized = {name: sides.sized(axes, which) for name, axes in shapes.items()}
    return ",".join(f"{name}:" + "x".join(map(str, [batch, *sizes])) for name, sizes in sized.items())
