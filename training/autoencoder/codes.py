"""What codes are like: whitened, drawn, judged."""
# B batch, Z code

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.processes import Processes

DECAY = 0.01


class CodeSpread:
    """The running mean and covariance of plain codes: random codes shall be like those of pictures.

    Codes leave the encoder with mean 0, since a random code's mean cannot be built into a decoder without biases.
    """

    def __init__(self, z_dim: int, device: torch.device) -> None:
        self.covariance = torch.eye(z_dim, device=device)

    @torch.no_grad()
    def observe(self, code_BZ: Tensor, processes: Processes) -> None:
        seen = code_BZ.float().T @ code_BZ.float() / len(code_BZ)
        processes.average([seen])
        self.covariance = self.covariance.lerp(seen, DECAY)

    def root(self) -> Tensor:
        """L of L L^T = covariance, [Z, Z]: L @ z is a code where z is normal."""
        # In float64, and lifted a little: few pictures leave directions in which codes do not differ.
        lifted = self.covariance.double() + 1e-6 * torch.eye(len(self.covariance), device=self.covariance.device)
        root: Tensor = torch.linalg.cholesky(lifted)
        return root.float()

    def state_dict(self) -> dict[str, Any]:
        return {"covariance": self.covariance}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.covariance = state_dict["covariance"].to(self.covariance.device)


class CodeDiscriminator(nn.Module):
    """Code -> how much it is like a normal random vector."""

    def __init__(self, z_dim: int, units: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(z_dim, units), nn.Linear(units, units)
        self.out = nn.Linear(units, 1)

    def forward(self, code_BZ: Tensor) -> Tensor:
        """[B, Z] -> logits [B, 1]."""
        x = F.leaky_relu(self.first(code_BZ), 0.2)
        logits: Tensor = self.out(F.leaky_relu(self.second(x), 0.2))
        return logits


def divergence(mean_BZ: Tensor, log_variance_BZ: Tensor) -> Tensor:
    """From the normal distribution, in nats, mean over the batch (Kingma & Welling 2014, appendix B)."""
    each = mean_BZ.square() + log_variance_BZ.exp() - 1 - log_variance_BZ
    return 0.5 * each.sum(dim=1).mean()
