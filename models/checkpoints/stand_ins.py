"""The names that opening a checkpoint knows, and what stands for each. Every other name is refused."""

import io
from collections.abc import Callable
from typing import Any

from models.checkpoints.errors import CheckpointUnsafe
from models.checkpoints.legacy_stream import read_nested_storage
from models.checkpoints.limits import Account
from models.checkpoints.pickled_arrays import PickledArray, PickledType, array_of_buffer, pickled_scalar
from models.checkpoints.pickled_tensors import DTYPES, STORAGE_TYPES, rebuild_parameter, rebuild_tensor
from models.checkpoints.unpickling import StandIn


class PickledObject(dict[str, Any]):
    """An object of the file as a dictionary: class_name, version, state. Its source text is not kept."""

    def __init__(self, class_name: str, version: Any = None, state: Any = None) -> None:
        super().__init__(class_name=class_name, version=version, state=state)

    def build(self, account: Account, state: Any) -> None:
        del account
        if isinstance(state, dict):
            state = {key: value for key, value in state.items() if key != "build_module_src"}
            self["version"] = state.get("version")
        self["state"] = state


def _mapping(account: Account, *arguments: Any) -> dict[Any, Any]:
    """An OrderedDict or EasyDict, empty or from a sequence of pairs."""
    del account
    if not arguments:
        return {}
    (pairs,) = arguments
    if not isinstance(pairs, list | tuple) or not all(isinstance(pair, list | tuple) for pair in pairs):
        raise CheckpointUnsafe("The file makes a dictionary of something that is no list of pairs.")
    made = {}
    for key, value in pairs:
        if not isinstance(key, str | int):
            raise CheckpointUnsafe("The file makes a dictionary whose keys are neither names nor numbers.")
        made[key] = value
    return made


def _persistent_object(account: Account, meta: Any) -> PickledObject:
    """NVIDIA's persistence: the original executes meta["module_src"]; here it is dropped unread."""
    del account
    if not isinstance(meta, dict) or not isinstance(meta.get("class_name"), str):
        raise CheckpointUnsafe("The file holds a persistent object without a class name.")
    return PickledObject(meta["class_name"], meta.get("version"), meta.get("state"))


class _Namespace(dict[str, Any]):
    """argparse.Namespace as a dictionary."""

    def build(self, account: Account, state: Any) -> None:
        del account
        if isinstance(state, dict):
            self.update(state)


def _encoded(account: Account, text: Any, encoding: Any = "latin1") -> bytes:
    """How Python 3 writes bytes for Python 2."""
    del account
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise CheckpointUnsafe("The file encodes text in a way that no checkpoint needs.")
    return text.encode("latin-1")


def _nested_storage(account: Account, data: Any) -> Any:
    if not isinstance(data, bytes | bytearray):
        raise CheckpointUnsafe("The file holds a tensor storage that is not made of bytes.")
    return read_nested_storage(io.BytesIO(data), memoryview(data), account)


def _sequence(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def make(account: Account, items: Any = ()) -> Any:
        del account
        if not isinstance(items, list | tuple) or not all(isinstance(item, str | int | float) for item in items):
            raise CheckpointUnsafe("The file makes a sequence of something that is neither text nor numbers.")
        return kind(items)

    return make


def _device(account: Account, kind: Any = "cpu", *ignored: Any) -> str:
    del account, ignored
    return str(kind)[:40] if isinstance(kind, str) else "cpu"


def _network(account: Account, *ignored: Any) -> PickledObject:
    """A TensorFlow network of dnnlib; its state arrives after it."""
    del account, ignored
    return PickledObject("Network")


STAND_INS: dict[str, Callable[..., Any]] = {
    "collections OrderedDict": _mapping,
    "dnnlib.util EasyDict": _mapping,
    "dnnlib EasyDict": _mapping,
    "argparse Namespace": lambda account: _Namespace(),  # noqa: ARG005
    "torch_utils.persistence _reconstruct_persistent_obj": _persistent_object,
    "dnnlib.tflib.network Network": _network,
    "tfutil Network": _network,
    "torch._utils _rebuild_tensor_v2": rebuild_tensor,
    "torch._utils _rebuild_tensor": rebuild_tensor,
    "torch._utils _rebuild_parameter": rebuild_parameter,
    "torch.storage _load_from_bytes": _nested_storage,
    "torch Size": _sequence(tuple),
    "torch device": _device,
    "numpy dtype": PickledType,
    "numpy.core.multiarray scalar": pickled_scalar,
    "numpy._core.multiarray scalar": pickled_scalar,
    "numpy.core.multiarray _reconstruct": PickledArray,
    "numpy._core.multiarray _reconstruct": PickledArray,
    "numpy.core.numeric _frombuffer": array_of_buffer,
    "numpy._core.numeric _frombuffer": array_of_buffer,
    "_codecs encode": _encoded,
    "builtins set": _sequence(set),
    "__builtin__ set": _sequence(set),
}
# Named by the files, never called by them.
CONSTANTS: dict[str, Any] = {
    "numpy ndarray": "numpy.ndarray",
    **{f"torch {name}": dtype for name, dtype in (STORAGE_TYPES | DTYPES).items()},
}
NAMES: dict[str, Any] = {**{name: StandIn(name, make) for name, make in STAND_INS.items()}, **CONSTANTS}
