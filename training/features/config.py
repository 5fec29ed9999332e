"""What a run of the features recipe is told."""

import math
from dataclasses import dataclass
from pathlib import Path

from training.run_config import PicturesConfig


@dataclass(frozen=True, kw_only=True)
class FeaturesConfig(PicturesConfig):
    """A run of the features recipe: SimCLR (Chen et al. 2020) on 64x64 pictures."""

    data: Path
    """A folder or zip of pictures; with an index.csv beside or in it, its train split alone."""
    total_images: int = 120_000
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    temperature: float = 0.2
    projection: int = 64
    """Width of what the contrast is taken of; thrown away afterwards."""
    smallest_crop: float = 0.5
    """Share of the picture's area that a view shows at least."""

    log_every_images: int = 2_560
    state_every_images: int = 10_240

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("projection")
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature is {self.temperature}; it must be above 0")
        self.check_from_0("weight_decay")
        if self.batch < 2:
            raise ValueError(f"batch is {self.batch}; a contrast needs at least 2 pictures")
        if not 0 < self.smallest_crop <= 1:
            raise ValueError(f"smallest_crop is {self.smallest_crop}; it must be above 0 and at most 1")
