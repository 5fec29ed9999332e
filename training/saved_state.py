"""state.pt: all that a run is at one moment, written whole and read without running code."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import nn

from training.atomic import tensors_written_whole
from training.errors import RunRefused, TrainingDiverged

STATE_NAME = "state.pt"


class Part(Protocol):
    """A network, an optimiser, or anything else that can be put back where it was."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


@dataclass(kw_only=True)
class RunState:
    """What any run is at one moment: its other fields, each a Part, and how far it is."""

    VERSION: ClassVar[int] = 1
    COUNTERS: ClassVar[tuple[str, ...]] = ("steps", "images_seen")
    LATER: ClassVar[tuple[str, ...]] = ()
    """Fields that states written before they were thought of lack: they then start fresh."""

    steps: int = 0
    images_seen: int = 0

    def parts(self) -> dict[str, Part]:
        names = [field.name for field in dataclasses.fields(self) if field.name not in self.COUNTERS]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def networks(self) -> dict[str, nn.Module]:
        return {name: part for name, part in self.parts().items() if isinstance(part, nn.Module)}

    def save(self, run: Path) -> None:
        """Write `run`/state.pt whole: tensors and plain types, readable with weights_only.

        Raises TrainingDiverged, and leaves the last state where it is, when a weight is not finite.
        """
        check_finite(self.networks(), self.images_seen)
        write_state(run, self.VERSION, self.parts(), {name: getattr(self, name) for name in self.COUNTERS})

    def load(self, path: Path, device: torch.device) -> None:  # noqa: ARG002  # for parts that live on it
        """Put what `path` holds into this state, and torch's random generators where they were."""
        content = read_state(path, self.VERSION)
        needed = [*self.COUNTERS, *(name for name in self.parts() if name not in self.LATER)]
        if missing := [name for name in needed if name not in content]:
            raise RunRefused(
                f"{path} is of a run of another kind: it holds no {', '.join(missing)}; choose another folder"
            )
        parts = {name: part for name, part in self.parts().items() if name in content or name not in self.LATER}
        restore(parts, content)
        for name in self.COUNTERS:
            setattr(self, name, content[name])


def write_state(run: Path, version: int, parts: Mapping[str, Part], counters: Mapping[str, float]) -> None:
    """Write `run`/state.pt whole: parts, counters and torch's random state, readable with weights_only."""
    # NumPy draws nothing that lasts: the order of the pictures is a function of images seen.
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    content: dict[str, Any] = {"version": version, **counters}
    content["random"] = {"cpu": torch.get_rng_state(), "cuda": cuda}
    content |= {name: part.state_dict() for name, part in parts.items()}
    with tensors_written_whole(run / STATE_NAME) as temporary:
        torch.save(content, temporary)


def read_state(path: Path, version: int) -> dict[str, Any]:
    """What `write_state` wrote. Raises RunRefused for another version of it, and for what cannot be read."""
    content = open_state(path, "put a copy back, or delete it to begin anew; --init-from starts from a snapshot")
    if content.get("version") != version:
        raise RunRefused(f"{path} is of state version {content.get('version')}; this program reads {version}")
    return content


def open_state(path: Path, advice: str) -> dict[str, Any]:
    """What lies in a state of any version. Raises RunRefused, with `advice`, for what cannot be read."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:
        # Of a file that was cut short, PyTorch says "Invalid argument", "Ran out of input", and more.
        raise RunRefused(f"{path} is damaged and cannot be read: {advice}") from error
    return content


def restore(parts: Mapping[str, Part], content: Mapping[str, Any]) -> None:
    """Put `content` into the parts, and torch's random generators where they were.

    An optimiser keeps the rates and the decay that it has: they are the config's, so that a run may go on with others.
    """
    for name, part in parts.items():
        groups = part.param_groups if isinstance(part, torch.optim.Optimizer) else []
        kept = [{key: value for key, value in group.items() if key != "params"} for group in groups]
        part.load_state_dict(content[name])
        if isinstance(part, torch.optim.Optimizer):
            for group, own in zip(part.param_groups, kept, strict=True):
                group.update(own)
    torch.set_rng_state(content["random"]["cpu"])
    if torch.cuda.is_available():
        # A machine may have fewer devices than the one that the run comes from.
        torch.cuda.set_rng_state_all(content["random"]["cuda"][: torch.cuda.device_count()])


def check_finite(networks: Mapping[str, nn.Module], images_seen: int) -> None:
    """Raise TrainingDiverged, before anything is overwritten, when a weight is not finite."""
    for name, network in networks.items():
        if not _finite(network.parameters()):
            raise TrainingDiverged(
                f"weights of the {name} at image {images_seen} are no longer finite numbers; the state saved last is "
                "sound. Go on from it with half the learning rate or a larger penalty on the gradient"
            )


def _finite(parameters: Iterable[torch.Tensor]) -> bool:
    return all(bool(weight.isfinite().all()) for weight in parameters)
