"""Past translations, shown to the discriminators again so that they do not forget (Shrivastava et al. 2017)."""
# B batch, N pool, C channel, H W picture

from typing import Any

import torch
from torch import Tensor


class ImagePool:
    """At most `size` pictures. A size of 0 gives back what it gets."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pictures: list[Tensor] = []

    def exchange(self, x_BCHW: Tensor) -> Tensor:
        """For each sample: while the pool fills, itself; then half of the time a past one, whose place it takes."""
        given = []
        for sample in x_BCHW.detach():
            if len(self.pictures) < self.size:
                self.pictures.append(sample.clone())
                given.append(sample)
            elif self.size == 0 or torch.rand(()).item() < 0.5:
                given.append(sample)
            else:
                place = int(torch.randint(self.size, ()).item())
                given.append(self.pictures[place])
                self.pictures[place] = sample.clone()
        return torch.stack(given)

    def state_dict(self) -> dict[str, Any]:
        return {"pictures": torch.stack(self.pictures).cpu() if self.pictures else torch.empty(0)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the pictures back, on the CPU; `to` moves them."""
        self.pictures = list(state_dict["pictures"])

    def to(self, device: torch.device) -> None:
        self.pictures = [picture.to(device) for picture in self.pictures]
