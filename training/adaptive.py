"""How strongly pictures are augmented: always fully, or as much as the discriminator needs.

Karras et al. 2020 ("Training Generative Adversarial Networks with Limited Data", section 3): a discriminator that is
sure of the real pictures has begun to memorise them, and gets them altered more often.
"""

from typing import Any

from torch import Tensor

SIGN_TARGET = 0.6
SIGN_DECAY = 0.98
"""The mean sign is an average over about fifty steps."""
SPEED_IMAGES = 100_000
"""Images in which the probability can go from 0 to 1."""


class AugmentationStrength:
    """The probability with which each step of an augmentation is applied to a sample.

    It is 1 until `grow_from_nothing` is called; from then on it follows the sign of the logits of real pictures.
    """

    def __init__(self) -> None:
        self.probability, self.sign_of_real, self.adaptive = 1.0, 0.0, False

    def grow_from_nothing(self) -> None:
        """Begin with unaltered pictures, for a discriminator that would only guess under full augmentation."""
        self.probability, self.adaptive = 0.0, True

    def observe(self, real_logits: Tensor) -> None:
        """Move by one step, up where the mean sign of the logits of real pictures is over SIGN_TARGET."""
        if not self.adaptive:
            return
        sign = real_logits.detach().sign().float().mean().item()
        self.sign_of_real = SIGN_DECAY * self.sign_of_real + (1 - SIGN_DECAY) * sign
        direction = 1 if self.sign_of_real > SIGN_TARGET else -1
        moved = self.probability + direction * len(real_logits) / SPEED_IMAGES
        self.probability = min(max(moved, 0.0), 1.0)

    def state_dict(self) -> dict[str, Any]:
        return vars(self).copy()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        vars(self).update(state_dict)
