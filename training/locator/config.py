"""What a run of the locator recipe is told."""

from dataclasses import dataclass
from pathlib import Path

from models.networks.locator import STRIDE
from training.run_config import RunConfig


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
    faces_per_scene: int = 2
    uses: int = 4
    """How often a scene is seen on average, mirrored every other time: composing one costs more than learning from
    it."""
    pool: int = 2048
    """Scenes to draw from."""
    smallest_eyes: float = 7.0
    largest_eyes: float = 20.0
    """Distance of the eyes, in pixels of a scene, that the network is to know."""

    learning_rate: float = 2e-3
    state_every_images: int = 10_000
    log_every_images: int = 2_000
    samples_every_images: int = 20_000
    snapshot_every_images: int = 20_000
    keep_snapshots: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("side", "width", "depth", "faces_per_scene", "uses", "pool")
        if self.side % STRIDE:
            raise ValueError(f"side is {self.side}; it must be a multiple of {STRIDE}")
        if not 0 < self.smallest_eyes < self.largest_eyes:
            raise ValueError(f"largest_eyes is {self.largest_eyes}; it must be above smallest_eyes")
