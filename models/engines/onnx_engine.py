"""A graph on ONNX Runtime: TensorRT, CUDA or the CPU."""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from models.engines.buckets import Sides, default_batch_sizes, goes, item_count, pad, padded_size, share_size
from models.engines.devices import CPU_PROVIDER, Device, candidates, cuda_options
from models.engines.engine import Array
from models.engines.errors import EngineRefused
from models.engines.tensorrt import cache_folder, tensorrt_options

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
}
MOST_BOUND = 16
"""Shapes whose buffers stay on a GPU: of a translator any number may come."""


class OnnxEngine:
    """One ONNX graph on one device.

    device: `auto` takes TensorRT, CUDA or the CPU, the first that starts; any other name is that or EngineRefused.
    threads: of the CPU; None: one for each core. cache: a folder where TensorRT keeps built engines; None: it builds
    them at every start. batch_sizes: in place of the device's own, for a GPU with little memory, say. sides: of
    pictures, where the graph leaves their size free: what TensorRT's engines are built for, and what is warmed.

    On the CPU one item has all threads, and a batch runs as shares side by side, each on one thread: cores that need
    not wait for each other at every layer. On two cores that made 155 to 178 faces of 64x64 a second; the batch as a
    whole made 115, one by one 110. The price is a second copy of the weights in memory.
    """

    def __init__(
        self,
        path: Path,
        device: str = "auto",
        threads: int | None = None,
        cache: Path | None = None,
        batch_sizes: Sequence[int] | None = None,
        *,
        sides: Sides | None = None,
    ) -> None:
        self._runtime = _onnxruntime()
        self._path, self._threads, self._cache = path, threads, cache
        self._sides = sides or Sides()
        self._device, self._batch_sizes, self._session = self._first_that_starts(device, batch_sizes)
        self._inputs = {node.name: (DTYPES[node.type], list(node.shape[1:])) for node in self._session.get_inputs()}
        self._outputs = [node.name for node in self._session.get_outputs()]
        self._run_options = self._runtime.RunOptions()
        sizes_free = any(not isinstance(axis, int) for _, axes in self._inputs.values() for axis in axes)
        if self._device.kind == "cpu" and sizes_free:
            # The arena would keep the memory of the largest picture for ever, and twice that after two: resident
            # were 0.9 GB after two tiles of 768x768, and 0.09 so, at no cost in time beside the seconds of a tile.
            self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        # On a GPU the buffers of a batch size belong to one run at a time.
        self._bound: dict[tuple[tuple[int, ...], ...], _BoundRun] | None = None if self._device.kind == "cpu" else {}
        # TensorRT has a session for each batch size, with its own engine; the first is that of the smallest.
        self._by_size: dict[int, Any] = {self._batch_sizes[0]: self._session}
        self._gpu_turn = threading.Lock()
        self._abreast = 1
        if self._device.kind == "cpu" and batch_sizes is None:
            # Twice the cores: a share that has finished early leaves none of them idle.
            self._abreast = 2 * (threads or os.cpu_count() or 1)
            self._one_threaded = self._open(self._device, self._batch_sizes, threads=1)
        self._shares = ThreadPoolExecutor(self._abreast, thread_name_prefix="share")

    @property
    def device(self) -> str:
        return str(self._device)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        return self._batch_sizes

    def warm(self) -> None:
        """Run zeros at every batch size (GPU), or at one (CPU: no size has a cost of its own).

        Pictures of free size are of the usual size.
        """
        shapes = {name: (dtype, self._sides.sized(axes)) for name, (dtype, axes) in self._inputs.items()}
        for size in self._batch_sizes if self._device.kind != "cpu" else (1,):
            self.run({name: np.zeros([size, *shape], dtype) for name, (dtype, shape) in shapes.items()})

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name; any number of items, more than the largest batch size in several goes.

        Raises ValueError when the inputs disagree in their number of items.
        """
        count = item_count(inputs)
        slices = goes(count, min(self._batch_sizes[-1], share_size(count, self._abreast)))
        shares = [{name: array[part] for name, array in inputs.items()} for part in slices]
        if len(shares) == 1:
            return self._run_at_once(shares[0], self._session)
        session = self._session if self._abreast == 1 else self._one_threaded
        parts = list(self._shares.map(lambda share: self._run_at_once(share, session), shares))
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def close(self) -> None:
        """Free the device's memory. The engine cannot run after it."""
        self._shares.shutdown()
        self._bound = None
        self._session = self._one_threaded = None
        self._by_size = {}

    def _run_at_once(self, inputs: Mapping[str, Array], session: Any) -> dict[str, Array]:
        count = item_count(inputs)
        size = padded_size(count, self._batch_sizes)
        padded = {name: pad(array, size) for name, array in inputs.items()}
        if self._bound is None:
            arrays = session.run(self._outputs, padded, self._run_options)
        else:
            with self._gpu_turn:
                arrays = self._bound_run(size, padded).run(padded)
        return {name: array[:count] for name, array in zip(self._outputs, arrays, strict=True)}

    def _bound_run(self, size: int, inputs: Mapping[str, Array]) -> "_BoundRun":
        assert self._bound is not None
        key = tuple(array.shape for array in inputs.values())
        if key not in self._bound:
            if len(self._bound) >= MOST_BOUND:
                del self._bound[next(iter(self._bound))]
            session = self._session_of(size)
            self._bound[key] = _BoundRun(self._runtime, session, self._device, inputs, self._outputs)
        return self._bound[key]

    def _session_of(self, size: int) -> Any:
        if self._device.kind != "tensorrt":
            return self._session
        if size not in self._by_size:
            self._by_size[size] = self._open(self._device, (size,), self._threads)
        return self._by_size[size]

    def _first_that_starts(self, wanted: str, batch_sizes: Sequence[int] | None) -> tuple[Device, tuple[int, ...], Any]:
        tried = candidates(wanted, self._runtime.get_available_providers())
        for device in tried:
            sizes = tuple(sorted(batch_sizes or default_batch_sizes(str(device))))
            session = self._open(device, sizes, self._threads)
            # ONNX Runtime falls back by itself, with a line on its log; a fallback that nobody asked for is refused.
            if session.get_providers()[0] == device.provider:
                return device, sizes, session
        raise EngineRefused(
            f"ONNX Runtime has {tried[-1].provider}, but it did not start on {tried[-1]}: the driver or one of its "
            "libraries is missing. Its own lines above say which; or choose --device auto."
        )

    def _open(self, device: Device, batch_sizes: Sequence[int], threads: int | None) -> Any:
        providers: list[tuple[str, dict[str, str]]] = [(CPU_PROVIDER, {})]
        if device.kind != "cpu":
            # Finds CUDA and cuDNN in the packages that the `gpu` extra installs; the system's own need nothing.
            self._runtime.preload_dlls()
            providers.insert(0, ("CUDAExecutionProvider", cuda_options(device.index)))
        if device.kind == "tensorrt":
            providers.insert(0, (device.provider, self._tensorrt_options(device.index, batch_sizes[0])))
        return self._runtime.InferenceSession(
            str(self._path), self._session_options(device, threads), providers=providers
        )

    def _tensorrt_options(self, index: int, batch: int) -> dict[str, str]:
        probe = self._runtime.InferenceSession(str(self._path), providers=[CPU_PROVIDER])
        shapes = {node.name: list(node.shape[1:]) for node in probe.get_inputs()}
        cache = self._cache and cache_folder(self._cache, self._path, self._runtime.__version__, index)
        return tensorrt_options(index, shapes, batch, self._sides, cache)

    def _session_options(self, device: Device, threads: int | None) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # A spinning thread burns the core that the web or the encoder wants: on two cores shared with other work
        # a 128x128 face took 75 to 96 ms with spinning and 60 to 68 without, of CPU time too.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # On a CPU it is no faster with them, and one is kept for every shape that ever ran: photos come in many.
        options.enable_mem_pattern = device.kind != "cpu"
        # Left at their defaults, after measuring: the arena (without it batches of 8 took 10 to 30 % longer, and it
        # holds 25 MB), all graph optimisations (fewer gained nothing).
        return options


class _BoundRun:
    """Inputs of one batch size at fixed addresses on the device, outputs left there until they are copied out once."""

    def __init__(
        self, runtime: Any, session: Any, device: Device, inputs: Mapping[str, Array], outputs: Sequence[str]
    ) -> None:
        place = "cpu" if device.kind == "cpu" else "cuda"
        self._session = session
        self._binding = session.io_binding()
        self._buffers = {
            # A copy: on the CPU the value would be the caller's own array, overwritten by the next run.
            name: runtime.OrtValue.ortvalue_from_numpy(array.copy(), place, device.index)
            for name, array in inputs.items()
        }
        for name, buffer in self._buffers.items():
            self._binding.bind_ortvalue_input(name, buffer)
        for name in outputs:
            self._binding.bind_output(name, place, device.index)

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        for name, buffer in self._buffers.items():
            buffer.update_inplace(inputs[name])
        self._session.run_with_iobinding(self._binding)
        arrays: list[Array] = self._binding.copy_outputs_to_cpu()
        return arrays


def _onnxruntime() -> Any:
    """Imported when an engine is opened, so that a web without a runtime can name one in a sentence."""
    try:
        import onnxruntime  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise EngineRefused(
            "ONNX Runtime is not installed; install personne[worker] for the CPU or personne[gpu] for NVIDIA GPUs."
        ) from error
    return onnxruntime
