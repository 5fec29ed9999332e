"""What a run of the encoder recipe is told."""

from dataclasses import dataclass
from pathlib import Path

from training.run_config import PicturesConfig


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(PicturesConfig):
    """A run of the encoder recipe. A length of "images" counts pictures shown to the encoder. `init_from` is a run of
    an encoder of an earlier snapshot of the same generator, or of one from which it has grown."""

    model: str
    """Digest of the generator."""
    data: Path | None = None
    """Aligned photos that the encoder learns to draw again, half of each batch, once it knows the generator's own.
    None: it sees those alone."""
    samples: int = 8192
    """Pictures of the generator that are drawn beforehand, with their ws."""
    width: int = 32
    widest: int = 192
    hidden: int = 224
    own_share: float = 0.35
    """Of the run: so long it learns the generator's own latents alone, which costs a fifth."""
    redrawn: int = 4
    """Pictures of each half of a batch that are drawn again after that."""
    pixel_weight: float = 8.0
    prior_weight: float = 0.02
    """Of the distance from the mean w, for photos: beyond the latents that the generator was trained with, edits mean
    nothing."""

    learning_rate: float = 1e-3
    state_every_images: int = 4_000
    log_every_images: int = 800
    samples_every_images: int = 8_000
    snapshot_every_images: int = 8_000
    keep_snapshots: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("samples", "width", "widest", "hidden", "redrawn")
        if not 0 <= self.own_share <= 1:
            raise ValueError(f"own_share is {self.own_share}; it must be from 0 to 1")
