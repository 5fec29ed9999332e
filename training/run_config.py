"""What every training run is told, whatever its recipe. Frozen, and written into the run as config.json."""

import dataclasses
import json
import math
import typing
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from training.augment import STEPS
from training.augment_pipe import PIPES
from training.losses import OBJECTIVES, PENALTIES, Objective, Penalty

SEED_LIMIT = 2**32
INTERVALS = ("log_every_images", "state_every_images", "samples_every_images", "snapshot_every_images")
SOURCES = ("data", "style", "also", "backgrounds")
"""Settings of recipes that name pictures."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The vocabulary that recipes share. Lengths are in images of the training data shown to the discriminator."""

    out: Path
    """The run's folder; a run that already lies there is resumed."""
    total_images: int
    batch: int
    learning_rate: float
    device: str = "auto"
    seed: int = 0
    bfloat16: bool = True
    compile: bool = False
    """Compile the networks' forward passes, where a run is long enough to pay for it."""
    augment: tuple[str, ...] = ()
    """Steps of training.augment.STEPS, or a pipe of PIPES, on all that a discriminator sees."""
    ema_half_life_images: int = 10_000
    ema_ramp: float = 0.05
    init_from: Path | None = None
    """A run or snapshot whose layers this run starts from."""

    log_every_images: int = 500
    state_every_images: int = 2_000
    state_every_s: float = 300.0
    """At the latest: where an image takes seconds, a kill shall not cost an hour."""
    samples_every_images: int = 4_000
    snapshot_every_images: int = 20_000
    keep_snapshots: int = 10
    """Newest snapshots that stay; those at powers of two times the interval stay as well."""

    def __post_init__(self) -> None:
        self.check_at_least_1("total_images", "batch", *INTERVALS, "keep_snapshots")
        self.check_from_0("learning_rate", "ema_half_life_images", "ema_ramp", "state_every_s")
        self._check_out()
        if not 0 <= self.seed < SEED_LIMIT:
            raise ValueError(f"seed is {self.seed}; it must be from 0 to {SEED_LIMIT - 1}")
        known = [*STEPS, *PIPES]
        if unknown := set(self.augment) - set(known):
            raise ValueError(f"unknown augmentation {', '.join(sorted(unknown))}; known are {', '.join(known)}")

    @property
    def sources(self) -> tuple[Path, ...]:
        """The folders and zips of pictures that are learnt from, each once."""
        given = [getattr(self, name, None) for name in SOURCES]
        return tuple(dict.fromkeys(source for source in given if source is not None))

    def _check_out(self) -> None:
        # What a run draws would be among its pictures as soon as it goes on.
        if source := next((each for each in self.sources if self.out.resolve().is_relative_to(each.resolve())), None):
            raise ValueError(f"{self.out} lies in {source}, and its samples would be learnt from; choose another --out")

    def check_at_least_1(self, *names: str) -> None:
        """Raise ValueError for the first of these fields that is below 1."""
        for name in names:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")

    def check_from_0(self, *names: str) -> None:
        """Raise ValueError for the first of these fields that is negative, infinite or no number: a weight below 0
        would be trained the wrong way round."""
        for name in names:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}; it must be 0 or more")

    def check_known(self, name: str, known: Collection[str]) -> None:
        """Raise ValueError unless the field holds one of these."""
        if getattr(self, name) not in known:
            raise ValueError(f"{name} is {getattr(self, name)!r}; known are {', '.join(known)}")

    def to_json(self) -> str:
        plain = {name: _plain(value) for name, value in dataclasses.asdict(self).items()}
        return json.dumps(plain, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        types = typing.get_type_hints(cls)
        return cls(**{name: _typed(value, types[name]) for name, value in json.loads(text).items()})


@dataclass(frozen=True, kw_only=True)
class PicturesConfig(RunConfig):
    """What every run is told that shows square pictures of one size."""

    data_memory_share: float = 0.5
    """Of the device's memory that is free as a run begins: as much the decoded pictures may take. More of them are
    decoded into a file of the run, and batches are read from there; 0: they always are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.data_memory_share <= 1:
            raise ValueError(f"data_memory_share is {self.data_memory_share}; it must be from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(RunConfig):
    """What a generator and a discriminator are told that train against each other."""

    loss: str = "non_saturating"
    """A row of training.losses.OBJECTIVES."""
    penalty: str | None = None
    """On the discriminator's gradient, one of training.losses.PENALTIES; None: the one that belongs to the loss."""
    r1_gamma: float = 0.3
    """The penalty's weight: gamma of R1 and R2, lambda of the interpolated one (published: 10)."""
    r1_interval_steps: int = 16
    """Steps from one penalty to the next, whose weight is multiplied by their number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("r1_interval_steps")
        self.check_from_0("r1_gamma")
        self.check_known("loss", OBJECTIVES)
        if self.penalty is not None:
            self.check_known("penalty", PENALTIES)

    @property
    def objective(self) -> Objective:
        return OBJECTIVES[self.loss]

    @property
    def gradient_penalty(self) -> Penalty | None:
        return PENALTIES[self.penalty or self.objective.penalty]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _typed(value: Any, hint: Any) -> Any:
    if value is not None and (hint is Path or Path in typing.get_args(hint)):
        return Path(value)
    return tuple(value) if typing.get_origin(hint) is tuple else value
