"""StyleGAN2's generator (Karras et al. 2020), under the tensor names of the official PyTorch port."""
# B batch, Z latent, Y label, D width of w, L style layer

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.style_generator import StyleGenerator
from models.networks.stylegan2_block import SynthesisBlock

ARCHITECTURES = ("skip", "resnet", "orig")
NOISE_MODES = ("const", "none", "random")
# Official checkpoints name these too. They choose kernels and precision, not the function computed.
PRECISION_KWARGS = frozenset({"num_fp16_res", "use_fp16", "fp16_channels_last", "fused_modconv_default"})


class SynthesisNetwork(nn.Module):
    """ws -> picture."""

    def __init__(
        self,
        w_dim: int,
        img_resolution: int,
        img_channels: int,
        *,
        channel_base: int = 32768,
        channel_max: int = 512,
        architecture: str = "skip",
        **block_kwargs: Any,
    ) -> None:
        """`block_kwargs`: resample_filter, conv_clamp, use_noise."""
        super().__init__()
        check_resolution(img_resolution)
        if architecture not in ARCHITECTURES:
            raise ValueError(f"architecture is {architecture!r}; known are {', '.join(ARCHITECTURES)}")
        self.w_dim, self.img_resolution, self.img_channels = w_dim, img_resolution, img_channels
        self.resolutions = block_resolutions(img_resolution)
        block_kwargs = {k: v for k, v in block_kwargs.items() if k not in PRECISION_KWARGS}
        channels = 0
        for res in self.resolutions:
            wider = min(channel_base // res, channel_max)
            block = SynthesisBlock(
                channels,
                wider,
                w_dim,
                res,
                img_channels,
                is_last=res == img_resolution,
                architecture=architecture,
                **block_kwargs,
            )
            setattr(self, f"b{res}", block)
            channels = wider
        self.num_ws = 2 * len(self.resolutions)

    def forward(
        self,
        ws_BLD: Tensor,
        noise_mode: str = "random",
        noise: Sequence[Tensor] | None = None,
        noise_gain: Tensor | float = 1.0,
    ) -> Tensor:
        """[B, num_ws, w_dim] -> [B, img_channels, R, R] float32, about -1..1, not clamped.

        `noise_mode`: const (the stored pictures), none, random. `noise` gives each layer's noise
        itself (see `seeded_noise`); `noise_gain` multiplies every layer's noise strength.
        """
        if noise_mode not in NOISE_MODES:
            raise ValueError(f"noise_mode is {noise_mode!r}; known are {', '.join(NOISE_MODES)}")
        x: Tensor | None = None
        img: Tensor | None = None
        layer = 0
        for res in self.resolutions:
            block = getattr(self, f"b{res}")
            given = None if noise is None else noise[layer : layer + block.num_conv]
            ws = ws_BLD[:, layer : layer + block.num_conv + 1]
            x, img = block(x, img, ws, noise_mode=noise_mode, noise=given, noise_gain=noise_gain)
            layer += block.num_conv
        assert img is not None, "the last block draws a picture"
        return img


class Generator(StyleGenerator):
    """StyleGAN2's."""

    SYNTHESIS = SynthesisNetwork

    def forward(
        self,
        z_BZ: Tensor,
        c_BY: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        **noise: Any,
    ) -> Tensor:
        """[B, z_dim], [B, c_dim] -> [B, img_channels, R, R]; `noise` as in SynthesisNetwork."""
        ws_BLD = self.mapping(z_BZ, c_BY, truncation_psi, truncation_cutoff)
        img: Tensor = self.synthesis(ws_BLD, **noise)
        return img


def check_resolution(img_resolution: int) -> None:
    """Raise ValueError unless the resolution is a power of two from 4."""
    if img_resolution < 4 or img_resolution & (img_resolution - 1):
        raise ValueError(f"resolution is {img_resolution}; it must be a power of two from 4")


def block_resolutions(img_resolution: int) -> list[int]:
    """4, 8, ... up to the picture's own."""
    return [2**i for i in range(2, img_resolution.bit_length())]


def seeded_noise(synthesis: SynthesisNetwork, seeds: Sequence[int]) -> list[Tensor]:
    """One [B, 1, r, r] per convolution: row b depends on seeds[b] alone, whatever its company."""
    sizes = [4] + [res for res in synthesis.resolutions[1:] for _ in range(2)]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return [torch.stack([torch.randn(1, size, size, generator=each) for each in generators]) for size in sizes]


@torch.no_grad()
def scale_noise(synthesis: SynthesisNetwork, factor: float) -> None:
    """Multiply every layer's noise strength, in place. Like truncation it trades variety (of texture) for plainness."""
    for name, parameter in synthesis.named_parameters():
        if name.endswith("noise_strength"):
            parameter.mul_(factor)
