"""What every run is told that learns to draw pictures of random latents."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.run_config import PicturesConfig


@dataclass(frozen=True, kw_only=True)
class PortraitConfig(PicturesConfig):
    """Square RGB pictures of one resolution."""

    data: Path
    """A folder or zip of pictures; with an index.csv beside or in it, its train split alone."""
    resolution: int
    z_dim: int = 512
    mirror: bool = True
    conditional: bool = False
    """Learn the classes that the data's dataset.json gives its pictures."""
    num_classes: int = 0
    """Of a conditional run; filled in from the data."""
    class_names: tuple[str, ...] = ()
    """Filled in from the data, where they say so."""

    grid_rows: int = 6
    grid_columns: int = 10
    sample_psi: float = 0.7
    measured_pictures: int = 512
    """How many generated pictures a snapshot is measured by; 0: none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("resolution", "z_dim", "grid_rows", "grid_columns")
        self.check_from_0("measured_pictures")
        if not math.isfinite(self.sample_psi):
            raise ValueError(f"sample_psi is {self.sample_psi}; it must be a number")
        if (self.num_classes or self.class_names) and not self.conditional:
            raise ValueError("num_classes and class_names are what the data of a conditional run say; leave them out")

    def check_widths(self, channel_base: int, *names: str) -> None:
        """Raise ValueError unless these fields are at least 1 and every resolution has channels."""
        self.check_at_least_1(*names)
        if channel_base < self.resolution:
            raise ValueError(
                f"channel_base is {channel_base}; it must be at least the resolution, {self.resolution}, where it "
                "leaves one channel"
            )

    @property
    def group(self) -> int:
        """Pictures that a discriminator compares with each other: it is shown whole groups."""
        return 1

    @property
    def family(self) -> str:
        """Of the generator, as snapshots and manifests call it."""
        raise NotImplementedError

    def generator_kwargs(self) -> dict[str, Any]:
        """The constructor's arguments of the generator, as they are written beside snapshots."""
        raise NotImplementedError
