"""What a run of the locator recipe is told."""

from dataclasses import dataclass
from pathlib import Path

from models.networks.landmarks import SIDE, UNITS
from models.networks.locator import STRIDE
from training.locator.scenes import Shot
from training.run_config import RunConfig

NEARER, FARTHER = 1.22, 0.82
"""Close-ups that show a face larger or smaller than they should: the first look errs."""


@dataclass(frozen=True, kw_only=True)
class LocatorConfig(RunConfig):
    """A run of the locator recipe. A length of "images" counts composed scenes."""

    data: Path
    """Aligned faces, with an index.csv whose column landmarks has five points of each, in pixels of a picture with
    sides of `landmark_side`."""
    backgrounds: Path
    """Photographs without people: what they show counts as no face."""
    landmark_side: int = 128
    face_side: int = 96
    """To which the faces are shrunk before they are composed."""
    side: int = 96
    """Of the scenes."""
    width: int = 48
    depth: int = 6
    close_width: int = 56
    close_features: int = 96
    """Of the network that looks from close by."""
    faces_per_scene: int = 2
    pool: int = 2048
    """Scenes to draw from, and as many close-ups."""
    uses: int = 8
    """How often each is seen on average, mirrored every other time and a little moved."""
    smallest_eyes: float = 7.0
    largest_eyes: float = 20.0
    """Distance of the eyes, in pixels of a scene, that the first network is to know."""

    learning_rate: float = 2e-3
    state_every_images: int = 10_000
    log_every_images: int = 2_000
    samples_every_images: int = 20_000
    snapshot_every_images: int = 20_000
    keep_snapshots: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("side", "width", "depth", "close_width", "close_features", "faces_per_scene")
        self.check_at_least_1("uses", "pool")
        if self.side % STRIDE:
            raise ValueError(f"side is {self.side}; it must be a multiple of {STRIDE}")
        if not 0 < self.smallest_eyes < self.largest_eyes:
            raise ValueError(f"largest_eyes is {self.largest_eyes}; it must be above smallest_eyes")

    @property
    def shot(self) -> Shot:
        """What the first network learns from."""
        return Shot(self.side, self.smallest_eyes, self.largest_eyes, self.faces_per_scene)

    @property
    def close_up(self) -> Shot:
        """What the second one learns from."""
        return Shot(SIDE, SIDE / UNITS * FARTHER, SIDE / UNITS * NEARER, 1, is_close_up=True)
