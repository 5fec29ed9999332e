"""Writes the pickles that the published releases write, from tensors: same objects, same names, none of their code.

Persistent objects are reduced to torch_utils.persistence with their source text; tensors are pickled as torch does
outside of torch.save, a nested file per storage; arguments are EasyDicts. The modules named exist only while writing.
"""

import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor, nn

SOURCE = "raise SystemExit('the source text of a checkpoint was executed')\n"
PARAMETER_NAMES = ("weight", "bias", "noise_strength", "const")


@contextmanager
def modules(**classes: Mapping[str, Any]) -> Iterator[None]:
    """Modules by that name (a double underscore is a dot) which hold these objects, until the end of the block."""
    made = {}
    for name, contents in classes.items():
        dotted = name.replace("__", ".")
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):
            made.setdefault(".".join(parts[:end]), ModuleType(".".join(parts[:end])))
        for key, value in contents.items():
            value.__module__, value.__qualname__ = dotted, key
            setattr(made[dotted], key, value)
    before = {name: sys.modules.get(name) for name in made}
    sys.modules.update(made)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class EasyDict(dict):  # type: ignore[type-arg]
    """Pickled as dnnlib.util.EasyDict."""


def _reconstruct_persistent_obj(meta: Any) -> None:
    raise AssertionError(f"a checkpoint's {meta['class_name']} was reconstructed by its own means")


class Persistent:
    """One module as persistence reduces it."""

    def __init__(self, class_name: str, state: dict[str, Any], source: str = SOURCE) -> None:
        self.class_name, self.state, self.source = class_name, state, source

    def __reduce__(self) -> Any:
        meta = EasyDict(type="class", version=6, module_src=self.source, class_name=self.class_name, state=self.state)
        return _reconstruct_persistent_obj, (meta,)


def module_state(parameters: Mapping[str, Any], buffers: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """The __dict__ of an nn.Module, as torch of today fills it."""
    state: dict[str, Any] = dict(vars(nn.Module()))
    state["training"] = False
    state["_parameters"] = dict(parameters)
    state["_buffers"] = dict(buffers)
    state["_modules"] = dict(inner)
    state["_forward_hooks"] = OrderedDict()
    return state


def persistent_network(
    class_name: str, init_kwargs: Mapping[str, Any], tensors: Mapping[str, Tensor], source: str = SOURCE
) -> Persistent:
    """A network whose modules nest as the tensors' names say."""
    return _nested("", class_name, tensors, {"_init_args": (), "_init_kwargs": easy(init_kwargs)}, source)


def _nested(
    prefix: str, class_name: str, tensors: Mapping[str, Tensor], attributes: Mapping[str, Any], source: str
) -> Persistent:
    names = [name.removeprefix(prefix) for name in tensors if name.startswith(prefix)]
    own = {name: tensors[prefix + name] for name in names if "." not in name}
    parameters = {name: nn.Parameter(own[name]) for name in own if name in PARAMETER_NAMES}
    buffers = {name: own[name] for name in own if name not in PARAMETER_NAMES}
    children = dict.fromkeys(name.partition(".")[0] for name in names if "." in name)
    inner = {name: _nested(f"{prefix}{name}.", name.capitalize(), tensors, {}, source) for name in children}
    state = module_state(parameters, buffers | {"absent": None}, inner)
    return Persistent(class_name, {**state, **attributes}, source)


def easy(value: Any) -> Any:
    """Dictionaries as EasyDicts, all the way down."""
    return EasyDict({key: easy(inner) for key, inner in value.items()}) if isinstance(value, Mapping) else value


def write_nvlabs_pickle(
    path: Path,
    class_name: str,
    init_kwargs: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    source: str = SOURCE,
    names: Sequence[str] = ("G", "D", "G_ema"),
    extra: Mapping[str, Any] | None = None,
    protocol: int = 4,
) -> Path:
    """A training snapshot of StyleGAN2-ADA or StyleGAN3: `tensors` are those of G_ema, G's are twice as large."""
    networks = {
        "G": persistent_network(class_name, init_kwargs, {k: t * 2 for k, t in tensors.items()}, source),
        "D": Persistent("Discriminator", module_state({}, {}, {}), source),
        "G_ema": persistent_network(class_name, init_kwargs, tensors, source),
    }
    snapshot = {name: networks[name] for name in names}
    snapshot |= {"augment_pipe": None, "training_set_kwargs": easy({"path": "faces.zip", "max_size": np.int64(7)})}
    return write_pickle(path, snapshot | dict(extra or {}), protocol=protocol)


def write_pickle(path: Path, content: Any, protocol: int = 4) -> Path:
    """`content` with the names of NVIDIA's modules."""
    with (
        modules(dnnlib__util={"EasyDict": EasyDict}),
        modules(torch_utils__persistence={"_reconstruct_persistent_obj": _reconstruct_persistent_obj}),
    ):
        path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


class Network:
    """Pickled as a TensorFlow network of dnnlib; `state` is what the original's __getstate__ returns."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __getstate__(self) -> dict[str, Any]:
        return self.state

    def __setstate__(self, state: Any) -> None:
        raise AssertionError("a checkpoint's network was rebuilt by its own means")


def tf_network(
    variables: Mapping[str, np.ndarray[Any, Any]],
    static_kwargs: Mapping[str, Any] | None = None,
    components: Sequence[str] = (),
    version: int = 4,
) -> Network:
    """Variables whose names begin with a component's belong to it, without that beginning."""
    own = {name: value for name, value in variables.items() if name.partition("/")[0] not in components}
    inner = {
        component: tf_network(
            {
                name.removeprefix(f"{component}/"): v
                for name, v in variables.items()
                if name.startswith(f"{component}/")
            },
            static_kwargs,
            version=version,
        )
        for component in components
    }
    return Network(
        {
            "version": version,
            "name": "G",
            "static_kwargs": easy(static_kwargs or {}),
            "components": easy(inner),
            "build_module_src": SOURCE,
            "build_func_name": "G_main",
            "variables": list(own.items()),
        }
    )


def _below(variables: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in variables.items() if name.startswith(prefix)}


def write_tf_pickle(
    path: Path,
    variables: Mapping[str, np.ndarray[Any, Any]],
    static_kwargs: Mapping[str, Any] | None = None,
    components: Sequence[str] = ("mapping", "synthesis"),
    *,
    module: str = "dnnlib__tflib__network",
    protocol: int = 4,
) -> Path:
    """(G, D, Gs); `variables` are those of Gs, G's are twice as large. `module`: tfutil for Progressive GAN."""
    doubled = {name: value * np.float32(2) for name, value in variables.items()}
    snapshot = (
        tf_network(doubled, static_kwargs, components),
        tf_network({"4x4/FromRGB/weight": np.zeros((1, 1, 3, 8), np.float32)}),
        tf_network(variables, static_kwargs, components),
    )
    with modules(dnnlib__util={"EasyDict": EasyDict}), modules(**{module: {"Network": Network}}):
        path.write_bytes(pickle.dumps(snapshot, protocol=protocol))
    return path
