"""NVIDIA's own pickles of StyleGAN2 (ADA) and StyleGAN3: the averaged generator, as its modules hold it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.stand_ins import PickledObject

MOST_MODULES = 10_000
DEEPEST_MODULE = 32
MOST_ARGUMENTS = 1000
POSITIONAL = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
# A tensor that only this family has -> the family.
TELLTALES = {"synthesis.b4.const": "stylegan2", "synthesis.input.freqs": "stylegan3"}
# Classes of other projects that save in the same container.
UNSERVABLE = {
    "SuperresGenerator": "a StyleGAN-XL generator",
    "TriPlaneGenerator": "an EG3D generator",
    "FastganSynthesis": "a FastGAN generator of Projected GAN",
    "FastganSynthesisCond": "a FastGAN generator of Projected GAN",
}
UNSERVABLE_TENSORS = {"mapping.embed_proj.weight": "a StyleGAN-XL generator"}
# The StyleGAN3 repository clamps StyleGAN2's activations unless told not to; the ADA repository only when told to.
CLAMP_OF_FLAT_KWARGS = 256


def is_nvlabs(content: Any) -> bool:
    """Whether a pickle's content is NVIDIA's: persistent objects, alone or by name."""
    values = content.values() if type(content) is dict else [content]
    return any(isinstance(value, PickledObject) and value["class_name"] != "Network" for value in values)


def read_nvlabs(content: Any) -> Checkpoint:
    """The generator of a pickle's content. Raises CheckpointRefused where there is none that can be served."""
    generator, notes = _choose_generator(content)
    refuse_unservable(class_names(content))
    tensors = dict(_tensors(generator))
    for name, what in UNSERVABLE_TENSORS.items():
        if name in tensors:
            raise CheckpointRefused(f"The file holds {what}, which cannot be served.")
    family = next((family for name, family in TELLTALES.items() if name in tensors), None)
    if family is None:
        raise CheckpointRefused(
            f"The file's generator is a {generator['class_name'][:60]} that is neither StyleGAN2 nor StyleGAN3; "
            f"its tensors begin with {', '.join(sorted(tensors)[:3]) or 'none at all'}."
        )
    kwargs = _constructor_arguments(generator)
    if family == "stylegan2":
        _say_clamp(kwargs, generator)
    return Checkpoint(family, kwargs, tensors, "NVIDIA pickle (PyTorch)", notes)


def refuse_unservable(names: Iterable[str]) -> None:
    """Raise CheckpointRefused where one of these class names is of a project that is known, and not servable."""
    for name in names:
        if name in UNSERVABLE:
            raise CheckpointRefused(f"The file holds {UNSERVABLE[name]}, which cannot be served.")


def class_names(content: Any) -> list[str]:
    """The class names of all modules."""
    values = content.values() if type(content) is dict else [content]
    modules = [module for value in values if isinstance(value, PickledObject) for _, module in _modules(value)]
    return [module["class_name"] for module in modules]


def _choose_generator(content: Any) -> tuple[PickledObject, tuple[str, ...]]:
    if isinstance(content, PickledObject):
        content = {"D" if content["class_name"] == "Discriminator" else "G": content}
    networks = {key: value for key, value in content.items() if isinstance(value, PickledObject)}
    if "G_ema" in networks:
        return networks["G_ema"], ()
    if "G" in networks:
        return networks["G"], ("There is no averaged generator (G_ema) in the file; G itself was taken.",)
    if "D" in networks:
        raise CheckpointRefused("The file holds a discriminator alone; a generator is needed to serve anything.")
    raise CheckpointRefused(f"The file holds no generator, but {', '.join(str(key)[:40] for key in content)}.")


def _modules(module: PickledObject) -> Iterator[tuple[str, PickledObject]]:
    """Every module with the prefix of its tensors, the outermost first; each visit counts against the limits."""
    waiting = [("", module, 0)]
    visited = 0
    while waiting:
        prefix, module, depth = waiting.pop()
        visited += 1
        if visited > MOST_MODULES or depth > DEEPEST_MODULE:
            raise CheckpointUnsafe(
                f"The file's network has more than {MOST_MODULES:,} modules, or deeper ones than {DEEPEST_MODULE}."
            )
        yield prefix, module
        for name, inner in _section(module, "_modules").items():
            if inner is not None and not isinstance(inner, PickledObject):
                raise CheckpointRefused(f"The file's network has a module {prefix}{name} that is none.")
            if inner is not None:
                waiting.append((f"{prefix}{name}.", inner, depth + 1))


def _tensors(generator: PickledObject) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and persistent buffer, under the name that a state dict would give it."""
    for prefix, module in _modules(generator):
        transient = module["state"].get("_non_persistent_buffers_set") or ()
        for section in ("_parameters", "_buffers"):
            for name, tensor in _section(module, section).items():
                if isinstance(tensor, Tensor) and name not in transient:
                    yield f"{prefix}{name}", tensor.detach()
                elif tensor is not None and not isinstance(tensor, Tensor):
                    raise CheckpointRefused(f"The file's network has a parameter {prefix}{name} that is no tensor.")


def _section(module: PickledObject, name: str) -> dict[str, Any]:
    state = module["state"]
    found = state.get(name) if isinstance(state, dict) else None
    if not isinstance(found, dict) or not all(isinstance(key, str) and len(key) < 200 for key in found):
        raise CheckpointRefused(
            f"The file's {module['class_name'][:60]} has no {name}, so it is no network of PyTorch."
        )
    return found


def _constructor_arguments(generator: PickledObject) -> dict[str, Any]:
    """What the generator was made with, by name and JSON-able."""
    state = generator["state"]
    positional, named = state.get("_init_args") or (), state.get("_init_kwargs")
    if not isinstance(named, dict) or not isinstance(positional, tuple | list) or len(positional) > len(POSITIONAL):
        raise CheckpointRefused("The file does not say what its generator was made with (_init_kwargs).")
    given = dict(zip(POSITIONAL, positional, strict=False)) | named
    arguments: dict[str, Any] = jsonable(given)
    missing = [name for name in POSITIONAL if name not in arguments]
    for name in missing:
        arguments[name] = jsonable(state.get(name))
    if any(type(arguments[name]) is not int for name in POSITIONAL):
        raise CheckpointRefused(f"The file does not say {' or '.join(POSITIONAL)} of its generator as numbers.")
    return arguments


def jsonable(value: Any) -> Any:
    """Constructor arguments as JSON can hold them. Raises CheckpointRefused for anything else, or too much of it."""
    remaining = MOST_ARGUMENTS

    def plain(value: Any, depth: int) -> Any:
        nonlocal remaining
        remaining -= 1
        if remaining < 0 or depth > 8:
            raise CheckpointUnsafe("The file gives its generator more arguments, or deeper ones, than any network has.")
        if isinstance(value, dict):
            return {str(key)[:80]: plain(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [plain(inner, depth + 1) for inner in value]
        if isinstance(value, str) and len(value) < 1000:
            return value
        if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**53):
            return value
        raise CheckpointRefused(f"The file gives its generator an argument that is a {type(value).__name__}.")

    return plain(value, 0)


def _say_clamp(kwargs: dict[str, Any], generator: PickledObject) -> None:
    """Write down conv_clamp where the file leaves it to a default, which differs between the two repositories."""
    nested = kwargs.get("synthesis_kwargs")
    given: dict[str, Any] = nested if isinstance(nested, dict) else kwargs
    if "conv_clamp" in given:
        return
    by_default = None if isinstance(nested, dict) else CLAMP_OF_FLAT_KWARGS
    layer = next((module for prefix, module in _modules(generator) if prefix == "synthesis.b4.conv1."), None)
    state: Mapping[str, Any] = layer["state"] if layer is not None else {}
    given["conv_clamp"] = jsonable(state.get("conv_clamp", by_default))
