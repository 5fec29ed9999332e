"""A graph on the CPU through OpenVINO, in float32 or in bfloat16."""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from models.engines.buckets import Sides, default_batch_sizes, item_count
from models.engines.devices import OPENVINO
from models.engines.engine import Array
from models.engines.errors import EngineRefused

PRECISIONS = ("bf16", "f32")
"""The better first: half the bytes to move, and on a processor made for it several times the products a second."""


class OpenVinoEngine:
    """One ONNX graph on the CPU, computed by OpenVINO.

    device: `openvino:bf16` and `openvino:f32` are that or EngineRefused; `openvino` is bf16 on a processor that
    multiplies it natively (AMX, AVX512_BF16) and f32 on any other. Pictures in bf16 differ from those in f32 by a few
    levels; so only graphs that give pictures compute in it, and w, from which a face is made, is float32 always.
    threads: None leaves it to OpenVINO. cache: a folder where OpenVINO keeps what it has compiled; None: it compiles at
    every start. batch_sizes: in place of 1 to 8; (1,) runs a batch one by one. sides: what is warmed where the graph
    leaves the pictures' size free.

    Each item is a batch of one, fixed in the graph, for OpenVINO plans memory and layouts better when it knows: an item
    of StyleGAN2 at 128x128 took 59 ms of CPU time so and 73 ms with a free batch (f32: 116 and 126); in a fixed batch
    of four it took no less. One item has all threads, and several run side by side, each on one thread. The price is a
    second copy of the weights in memory; inputs that have a default are compiled into it, and whoever gives them makes
    a third.
    """

    def __init__(
        self,
        path: Path,
        device: str = OPENVINO,
        threads: int | None = None,
        cache: Path | None = None,
        batch_sizes: Sequence[int] | None = None,
        *,
        sides: Sides | None = None,
    ) -> None:
        self._runtime = _runtime()
        self._core = self._runtime.Core()
        self._precision = _precision(device, self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        self._batch_sizes = tuple(sorted(batch_sizes or default_batch_sizes("cpu")))
        self._path, model = path, self._read(path)
        self._defaults = set(_constants(model))
        self._inputs = {node.any_name: (node.element_type.to_dtype(), _axes(node)) for node in model.inputs}
        self._sides = sides or Sides()
        self._abreast = min(threads or os.cpu_count() or 1, self._batch_sizes[-1])
        options = self._options(model, cache)
        self._all_threads = options | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
        self._alone = _Plan(self._core, model, self._all_threads, 1)
        self._side_by_side = self._alone
        if self._abreast > 1:
            one_each = options | {"INFERENCE_NUM_THREADS": self._abreast}
            self._side_by_side = _Plan(self._core, model, one_each, self._abreast)
        self._given: dict[frozenset[str], _Plan] = {}
        self._one_compiles = threading.Lock()
        self._shares = ThreadPoolExecutor(self._abreast, thread_name_prefix="share")

    @property
    def device(self) -> str:
        return f"{OPENVINO}:{self._precision}"

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        return self._batch_sizes

    def warm(self) -> None:
        """Run zeros, alone and side by side; pictures of free size are of the usual size."""
        shapes = {name: (dtype, self._sides.sized(axes)) for name, (dtype, axes) in self._inputs.items()}
        for size in {1, self._abreast}:
            self.run({name: np.zeros([size, *shape], dtype) for name, (dtype, shape) in shapes.items()})

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name; any number of items.

        Raises ValueError when the inputs disagree in their number of items, or are not those of the graph.
        """
        given = frozenset(inputs.keys() - self._inputs.keys())
        if self._inputs.keys() - inputs.keys() or given - self._defaults:
            # OpenVINO would take a missing one from the run before.
            raise ValueError(f"The graph has the inputs {sorted(self._inputs)}; it was given {sorted(inputs)}.")
        count = item_count(inputs)
        items = [{name: np.ascontiguousarray(array[i : i + 1]) for name, array in inputs.items()} for i in range(count)]
        if given:
            results = [self._plan_that_takes(given).run(item) for item in items]
        elif count == 1:
            results = [self._alone.run(items[0])]
        else:
            results = list(self._shares.map(self._side_by_side.run, items))
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    def close(self) -> None:
        """Free the memory. The engine cannot run after it."""
        self._shares.shutdown()
        for plan in (self._alone, self._side_by_side, *self._given.values()):
            plan.close()

    def _read(self, path: Path, given: frozenset[str] = frozenset()) -> Any:
        """The graph, which takes one item at a time; `given`: inputs with a default that it shall take, too."""
        model = self._core.read_model(path)
        for name, node in _constants(model).items():
            if name in given:
                parameter = self._runtime.opset13.parameter(node.output(0).shape, node.get_element_type(), name)
                parameter.output(0).set_names({name})
                for user in node.output(0).get_target_inputs():
                    user.replace_source_output(parameter.output(0))
                model.add_parameters([parameter])
        shapes = {node.any_name: node.partial_shape for node in model.inputs}
        for shape in shapes.values():
            shape[0] = 1
        model.reshape(shapes)
        return model

    def _plan_that_takes(self, given: frozenset[str]) -> "_Plan":
        with self._one_compiles:
            if given not in self._given:
                self._given[given] = _Plan(self._core, self._read(self._path, given), self._all_threads, 1)
            return self._given[given]

    def _options(self, model: Any, cache: Path | None) -> dict[str, Any]:
        """Of both plans, by their documented names."""
        draws = any(node.element_type.to_dtype() == np.uint8 for node in model.outputs)
        options = {
            "INFERENCE_PRECISION_HINT": self._precision if draws else "f32",
            # Pinned threads of two workers on one machine would all sit on its first cores.
            "ENABLE_CPU_PINNING": False,
        }
        # Kept apart by OpenVINO itself: by the graph's content, the options, the processor and the version.
        return options if cache is None else options | {"CACHE_DIR": str(cache / OPENVINO)}


class _Plan:
    """A compiled graph that may run so many times at once. Whoever comes beyond that waits."""

    def __init__(self, core: Any, model: Any, options: Mapping[str, Any], abreast: int) -> None:
        compiled = core.compile_model(model, "CPU", {**options, "NUM_STREAMS": str(abreast)})
        self._outputs = [node.any_name for node in compiled.outputs]
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._abreast = abreast
        for _ in range(abreast):
            self._free.put(compiled.create_infer_request())

    def run(self, item: Mapping[str, Array]) -> dict[str, Array]:
        request = self._free.get()
        try:
            results = request.infer(item, share_inputs=True)
            return {name: results[name] for name in self._outputs}
        finally:
            self._free.put(request)

    def close(self) -> None:
        for _ in range(self._abreast):
            self._free.get()
        self._abreast = 0


def _precision(device: str, capabilities: Sequence[str]) -> str:
    kind, colon, wanted = device.partition(":")
    if kind != OPENVINO or (colon and wanted not in PRECISIONS):
        raise EngineRefused(f"There is no device {device!r}; OpenVINO's are openvino, openvino:bf16 and openvino:f32.")
    native = "BF16" in capabilities
    if wanted == "bf16" and not native:
        # It would run, slower than float32: OpenVINO emulates bfloat16 elsewhere.
        raise EngineRefused(
            "This processor does not multiply bfloat16 (neither AMX nor AVX512_BF16); choose --device openvino:f32."
        )
    return wanted or PRECISIONS[0 if native else 1]


def _constants(model: Any) -> dict[str, Any]:
    """By name. OpenVINO takes an input that has a default for one of them."""
    return {node.friendly_name: node for node in model.get_ops() if node.get_type_name() == "Constant"}


def _axes(node: Any) -> list[int | None]:
    """Sizes of an input without its batch; None: free."""
    return [axis.get_length() if axis.is_static else None for axis in list(node.partial_shape)[1:]]


def _runtime() -> Any:
    """Imported when an engine is opened: a worker without it never needs it."""
    try:
        import openvino  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise EngineRefused("OpenVINO is not installed; install personne[openvino] beside personne[worker].") from error
    return openvino
