"""Where StyleGAN3 begins: sine waves over the plane, moved by the style and by the user (Karras et al. 2021)."""
# N batch, D width of w, C channel, H W picture; matrices are [row, column]

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.layers import FullyConnected
from models.networks.stylegan3_schedule import Signal


class SynthesisInput(nn.Module):
    """Fourier features that can be translated and rotated exactly, then a learned mixture of them."""

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, w_dim: int, signal: Signal) -> None:
        super().__init__()
        self.size, self.sampling_rate, self.bandwidth = signal.size, signal.rate, signal.cutoff
        channels = signal.channels
        # Frequencies spread over a disc of radius `cutoff`, evenly.
        freqs_C2 = torch.randn(channels, 2)
        radius_C1 = freqs_C2.norm(dim=1, keepdim=True)
        freqs_C2 = freqs_C2 / (radius_C1 * radius_C1.square().exp() ** 0.25) * self.bandwidth
        self.weight = nn.Parameter(torch.randn(channels, channels))
        self.affine = FullyConnected(w_dim, 4)
        with torch.no_grad():
            # No rotation, no translation, whatever w.
            self.affine.weight.zero_()
            self.affine.bias[0] = 1
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("freqs", freqs_C2)
        self.register_buffer("phases", torch.rand(channels) - 0.5)

    def forward(self, w_ND: Tensor, transform_N33: Tensor | None = None) -> Tensor:
        """[N, w_dim] -> [N, C, size, size]. `transform_N33` maps a place in the picture to the place shown there; one
        for all or one each; where None, the stored one."""
        inverse_N23 = self._placed_by(w_ND) @ (self.transform if transform_N33 is None else transform_N33)
        freqs_NC2 = self.freqs @ inverse_N23[:, :, :2]
        phases_NC1 = self.phases[:, None] + self.freqs @ inverse_N23[:, :, 2:]
        # A zoomed picture may ask for frequencies that the sampling rate cannot carry: fade them out.
        excess_NC1 = (freqs_NC2.square().sum(dim=2, keepdim=True).sqrt() - self.bandwidth) / (
            self.sampling_rate / 2 - self.bandwidth
        )
        amplitude_NC1 = (1 - excess_NC1).clamp(0, 1)
        at = (torch.arange(self.size, device=w_ND.device) + 0.5 - self.size / 2) / self.sampling_rate
        across_NCW = freqs_NC2[:, :, :1] * at + phases_NC1
        down_NCH = freqs_NC2[:, :, 1:] * at
        turns_NCHW = across_NCW[:, :, None, :] + down_NCH[:, :, :, None]
        waves_NCHW = torch.sin(2 * math.pi * turns_NCHW) * amplitude_NC1[..., None]
        mixture_CC = self.weight / math.sqrt(self.weight.shape[1])
        return F.conv2d(waves_NCHW, mixture_CC[:, :, None, None])

    def _placed_by(self, w_ND: Tensor) -> Tensor:
        """[N, 2, 3]: rotation after translation, as w asks for."""
        placed_N4 = self.affine(w_ND)
        placed_N4 = placed_N4 / placed_N4[:, :2].square().sum(dim=1, keepdim=True).sqrt()
        cos_N1, sin_N1, shift_N21 = placed_N4[:, :1], placed_N4[:, 1:2], placed_N4[:, 2:, None]
        rotation_N22 = torch.stack([torch.cat([cos_N1, -sin_N1], 1), torch.cat([sin_N1, cos_N1], 1)], dim=1)
        return torch.cat([rotation_N22, -(rotation_N22 @ shift_N21)], dim=2)
