"""What a training run is told. Frozen, and written into the run as config.json."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.networks.stylegan2 import check_resolution
from training.augment import STEPS

SEED_LIMIT = 2**32


@dataclass(frozen=True)
class TrainingConfig:
    """A run of the faces recipe. Lengths are in images shown to the discriminator.

    The networks are StyleGAN2 (skip generator, resnet discriminator); pictures are RGB squares.
    """

    data: Path
    """A folder or zip of pictures; with an index.csv beside or in it, its train split alone."""
    out: Path
    """The run's folder; a run that already lies there is resumed."""
    resolution: int
    total_images: int
    batch: int
    device: str = "auto"
    seed: int = 0

    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 2
    channel_base: int = 8192
    channel_max: int = 256
    conv_clamp: float = 256
    minibatch_std_group: int = 4

    learning_rate: float = 0.0025
    r1_gamma: float = 0.3
    r1_interval_steps: int = 16
    style_mixing: float = 0.9
    mirror: bool = True
    augment: tuple[str, ...] = ("colour", "translation", "cutout")
    ema_half_life_images: int = 10_000
    ema_ramp: float = 0.05
    bfloat16: bool = True

    log_every_images: int = 500
    state_every_images: int = 2_000
    samples_every_images: int = 4_000
    snapshot_every_images: int = 20_000
    keep_snapshots: int = 10
    """Newest snapshots that stay; those at powers of two times the interval stay as well."""
    grid_rows: int = 6
    grid_columns: int = 10
    sample_psi: float = 0.7
    init_from: Path | None = None
    """A run or snapshot, of this or half the resolution, whose layers this run starts from."""

    def __post_init__(self) -> None:
        for name in ("resolution", "total_images", "batch", "r1_interval_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        check_resolution(self.resolution)
        if not 0 <= self.seed < SEED_LIMIT:
            raise ValueError(f"seed is {self.seed}; it must be from 0 to {SEED_LIMIT - 1}")
        if unknown := set(self.augment) - STEPS.keys():
            raise ValueError(f"unknown augmentation {', '.join(sorted(unknown))}; known are {', '.join(STEPS)}")
        if self.batch % min(self.minibatch_std_group, self.batch):
            raise ValueError(f"batch is {self.batch}; it must be a multiple of {self.minibatch_std_group}")

    def generator_kwargs(self) -> dict[str, Any]:
        """The constructor's arguments of the generator, as they are written beside snapshots."""
        return {
            "z_dim": self.z_dim,
            "c_dim": 0,
            "w_dim": self.w_dim,
            "img_resolution": self.resolution,
            "img_channels": 3,
            "mapping_kwargs": {"num_layers": self.mapping_layers},
            "synthesis_kwargs": {**self._widths(), "conv_clamp": self.conv_clamp},
        }

    def discriminator_kwargs(self) -> dict[str, Any]:
        return {
            "c_dim": 0,
            "img_resolution": self.resolution,
            "img_channels": 3,
            # Clamping guards float16's range, which a discriminator in bfloat16 does not need.
            **self._widths(),
            "conv_clamp": None,
            "epilogue_kwargs": {"mbstd_group_size": self.minibatch_std_group},
        }

    def to_json(self) -> str:
        plain = {name: _plain(value) for name, value in dataclasses.asdict(self).items()}
        return json.dumps(plain, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TrainingConfig":
        """The inverse of `to_json`."""
        fields = json.loads(text)
        for name in ("data", "out", "init_from"):
            fields[name] = None if fields[name] is None else Path(fields[name])
        fields["augment"] = tuple(fields["augment"])
        return cls(**fields)

    def _widths(self) -> dict[str, Any]:
        return {
            "channel_base": self.channel_base,
            "channel_max": self.channel_max,
        }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
