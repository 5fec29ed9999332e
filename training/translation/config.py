"""What a run of the translation recipe is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.losses import OBJECTIVES as ADVERSARIAL
from training.losses import Objective
from training.run_config import RunConfig
from training.translation.pairs import TASKS

OBJECTIVES = ("cyclegan", "cut", "pix2pix")
LOSSES = ("non_saturating", "minimax", "least_squares", "hinge")
GENERATORS = {"resnet": "cyclegan", "unet": "pix2pix"}
"""Family of each generator, as snapshots and manifests call it."""


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(RunConfig):
    """A run from pictures to pictures.

    cyclegan and cut learn from two sets that do not correspond, `data` and `style`, drawn independently; pix2pix from
    pairs that `task` makes of `data`. One image is one picture of `data` (and one of `style`).
    """

    objective: str
    data: Path
    """A folder or zip of the pictures to translate; with an index beside or in it, its train split alone."""
    style: Path | None = None
    """The pictures whose look is wanted."""
    also: Path | None = None
    """More pictures to translate, in `also_share` of the draws, so that a subject survives that `data` lacks."""
    also_share: float = 0.1
    also_pictures: int = 300
    """How many of `also` to use at most, evenly spaced by name."""
    task: str | None = None

    resolution: int = 256
    """Side of the square crops."""
    picture_side: int = 286
    """Pictures lie in memory with at most this shorter side; crops are taken at several scales and mirrored."""
    smallest_crop: float = 0.5
    """Side of the smallest crop, as a share of the picture's shorter side."""

    generator: str = "resnet"
    ngf: int = 64
    n_blocks: int = 9
    num_downs: int = 8
    upsample: str = "resize"
    """resize draws no checkerboard; transpose is as published."""
    norm: str = "instance"
    """instance computes the same in training and after it, batch does not."""
    use_dropout: bool = False
    residual: bool = False
    """A resnet draws what is added to its input: where the answer is nearly that, all effort goes into the rest."""
    ndf: int = 64
    n_layers: int = 3

    loss: str | None = None
    """Which of the adversarial objectives that need no penalty; None: as published, least squares, and of pix2pix
    non-saturating."""
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    """Of |G(b) - b|, which keeps colours; as published, half the cycle's."""
    identity_weight_end: float = 5.0
    """The identity weight moves to this one over the run: colours settle early, and strokes may then grow bolder."""
    colour_weight: float = 0.0
    """Of the difference in mean colour over 16x16 pixels between photo and translation: against washed-out colours."""
    nce_weight: float = 1.0
    nce_patches: int = 256
    nce_temperature: float = 0.07
    l1_weight: float = 100.0

    learning_rate: float = 2e-4
    decay_from: float = 0.5
    """Share of the run after which the rate falls linearly to 0."""
    scaled_rate: bool = False
    """Multiply the rate by the root of the batch: fewer, surer steps may be longer."""
    pool_size: int = 50
    """Past translations that the discriminators are shown too; 0: none."""
    ema_half_life_images: int = 2_000
    sample_count: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("resolution", "ngf", "n_blocks", "ndf", "sample_count", "also_pictures")
        self.check_at_least_1("picture_side", "num_downs", "n_layers", "nce_patches")
        self.check_from_0("cycle_weight", "identity_weight", "identity_weight_end", "colour_weight", "pool_size")
        self.check_from_0("nce_weight", "l1_weight")
        if not self.nce_temperature > 0:
            raise ValueError(f"nce_temperature is {self.nce_temperature}; it must be above 0")
        self.check_known("objective", OBJECTIVES)
        self.check_known("generator", tuple(GENERATORS))
        if self.loss is not None:
            self.check_known("loss", LOSSES)
        self._check_data()
        if self.residual and self.generator != "resnet":
            raise ValueError("residual is for the resnet generator; a U-Net hands its input on by itself")
        if self.resolution % self.size_multiple:
            raise ValueError(f"resolution is {self.resolution}; it must be a multiple of {self.size_multiple}")
        for name in ("also_share", "smallest_crop", "decay_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be from 0 to 1")

    def _check_data(self) -> None:
        if self.objective == "pix2pix":
            self.check_known("task", tuple(TASKS))
            if self.style is not None:
                raise ValueError("pix2pix makes its pairs of the data alone; leave out style")
            return
        if self.style is None:
            raise ValueError(f"{self.objective} needs the pictures whose look is wanted (style)")
        if self.task is not None or self.generator != "resnet":
            raise ValueError(f"{self.objective} trains the resnet generator, and makes no pairs (task)")

    @property
    def size_multiple(self) -> int:
        return 4 if self.generator == "resnet" else 2**self.num_downs

    @property
    def adversarial(self) -> Objective:
        """What generators and discriminators minimise against each other."""
        return ADVERSARIAL[self.loss or ("non_saturating" if self.objective == "pix2pix" else "least_squares")]

    @property
    def family(self) -> str:
        return GENERATORS[self.generator]

    def generator_kwargs(self) -> dict[str, Any]:
        """The constructor's arguments of the generator, as they are written beside snapshots."""
        input_nc = 3 if self.task is None else TASKS[self.task].input_nc
        shared = {"input_nc": input_nc, "output_nc": 3, "ngf": self.ngf, "norm": self.norm}
        shared["use_dropout"] = self.use_dropout
        if self.task is not None:
            shared["task"] = self.task
        if self.generator == "unet":
            return {**shared, "num_downs": self.num_downs}
        residual = {"residual": True} if self.residual else {}
        return {**shared, "n_blocks": self.n_blocks, "upsample": self.upsample, **residual}

    def discriminator_kwargs(self) -> dict[str, Any]:
        # pix2pix's discriminator sees the input beside the output.
        input_nc = 3 if self.task is None else 3 + TASKS[self.task].input_nc
        return {"input_nc": input_nc, "ndf": self.ndf, "n_layers": self.n_layers, "norm": self.norm}

    def rate_at(self, images_seen: int) -> float:
        """The learning rate: constant, then falling linearly to 0 at the end."""
        rate = self.learning_rate * (self.batch**0.5 if self.scaled_rate else 1.0)
        left = 1 - images_seen / self.total_images
        return rate * min(1.0, left / max(1 - self.decay_from, 1e-8))

    def identity_weight_at(self, images_seen: int) -> float:
        share = images_seen / self.total_images
        return self.identity_weight + share * (self.identity_weight_end - self.identity_weight)
