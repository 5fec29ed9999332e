"""The state dicts inside of what a checkpoint file holds: found, cleaned, and described where nobody knows them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from models.checkpoints.errors import CheckpointRefused

# What DistributedDataParallel, DataParallel and torch.compile put before or between names.
WRAPPINGS = frozenset({"module", "_orig_mod"})
# Averages of the generator first: they draw better than the last step of training.
PREFERRED = (
    "g_ema",
    "G_ema",
    "generator_smooth",
    "generator_ema",
    "average",
    "ema",
    "params_ema",
    "netG_ema",
    "generator",
    "netG",
    "G",
    "g",
    "state_dict",
    "model",
    "params",
)
DEEPEST = 3
SHOWN = 4


@dataclass(frozen=True)
class StateDict:
    """Tensors under one name of a file (empty: the file itself), and what lies beside them."""

    place: str
    tensors: dict[str, Tensor]
    beside: Mapping[str, Any]

    @property
    def rank(self) -> int:
        """Lower is preferred where a file holds several generators."""
        last = self.place.rpartition("/")[2]
        return PREFERRED.index(last) if last in PREFERRED else len(PREFERRED)


def find_state_dicts(content: Any) -> list[StateDict]:
    """Every dictionary of tensors in `content`, the preferred first."""
    return sorted(_walk(content, "", {}, DEEPEST), key=lambda found: found.rank)


def _walk(content: Any, place: str, beside: Mapping[str, Any], depth: int) -> Iterator[StateDict]:
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    inner = {name: value for name, value in content.items() if isinstance(value, dict)}
    # A state dict holds tensors alone; a lone tensor among dictionaries (`latent_avg`) stands beside them.
    if tensors and not inner:
        yield StateDict(place, unwrapped(tensors), beside)
    elif depth:
        for name, value in inner.items():
            yield from _walk(value, f"{place}/{name}".lstrip("/"), content, depth - 1)


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without the traces of wrappers in their names. Raises CheckpointRefused where two become one."""
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        short = ".".join(part for part in name.split(".") if part not in WRAPPINGS)
        if short in plain:
            raise CheckpointRefused(f"The file holds the tensor {short!r} twice, with and without a wrapper's prefix.")
        plain[short] = tensor
    return plain


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def describe(found: list[StateDict], content: Any) -> str:
    """What was seen in a file that nobody recognises: names and shapes, enough to tell what it is."""
    if not found:
        if isinstance(content, dict):
            keys = ", ".join(repr(str(key)[:40]) for key in list(content)[:SHOWN]) or "nothing"
            return f"no dictionary of tensors, but {keys}"
        return f"a {type(content).__name__} and no dictionary of tensors"
    first = max(found, key=lambda one: len(one.tensors))
    shown = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in list(first.tensors.items())[:SHOWN])
    where = f" under {first.place!r}" if first.place else ""
    return f"{len(first.tensors)} tensors{where}, the first of them {shown}"
