"""How strongly the discriminator's pictures are altered: no more than it takes to keep it from memorising.

Karras et al. 2020a, section 3: where the discriminator is surer of the training pictures than `target`, measured as
the mean of the sign of its logits, the augmentations become more probable, and else less.
"""

from typing import Any

import torch
from torch import Tensor

from training.processes import Processes

ADJUST_EVERY_STEPS = 4


class AdaptiveStrength:
    """A probability that follows the discriminator; constant where `target` is None."""

    def __init__(self, value: float, target: float | None, images_to_full: int) -> None:
        """images_to_full: how many images it takes from 0 to 1 at least."""
        self.value, self.target, self.images_to_full = value, target, images_to_full
        self.sign = 0.0
        """By which the last move was made: 0 is guessing, 1 memorised."""
        self._waiting: list[Tensor] = []

    def observe(self, real_logits: Tensor, steps: int, batch: int, processes: Processes) -> None:
        """Take note of the logits of a batch of (altered) training pictures; move at every fourth step.

        steps: done so far. batch: images a step, over all processes.
        """
        if self.target is None:
            return
        mean = real_logits.detach().float().sign().mean()
        # At every step: the first process saves what waits, and the others go on from it.
        processes.average([mean])
        self._waiting.append(mean)
        if (steps + 1) % ADJUST_EVERY_STEPS:
            return
        # What was loaded lies on the CPU.
        sign, self._waiting = float(torch.stack([each.to(mean.device) for each in self._waiting]).mean()), []
        moved = batch * ADJUST_EVERY_STEPS / self.images_to_full
        self.value = min(max(self.value + (moved if sign > self.target else -moved), 0.0), 1.0)
        self.sign = sign

    def state_dict(self) -> dict[str, Any]:
        """Signs that wait for the next move are part of it, so that a resumed run makes the same one."""
        return {"value": self.value, "sign": self.sign, "waiting": [float(each) for each in self._waiting]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """A strength that does not adapt stays what the config says."""
        if self.target is None:
            return
        self.value, self.sign = state_dict["value"], state_dict["sign"]
        self._waiting = [torch.tensor(each) for each in state_dict["waiting"]]
