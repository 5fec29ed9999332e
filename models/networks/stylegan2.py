"""StyleGAN2's generator (Karras et al. 2020), under the tensor names of the official PyTorch port."""
# B batch, Z latent, Y label, D width of w, L style layer

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.layers import FullyConnected, normalise
from models.networks.stylegan2_block import SynthesisBlock

ARCHITECTURES = ("skip", "resnet", "orig")
NOISE_MODES = ("const", "none", "random")
# Official checkpoints name these too. They choose kernels and precision, not the function computed.
PRECISION_KWARGS = frozenset({"num_fp16_res", "use_fp16", "fp16_channels_last", "fused_modconv_default"})


class MappingNetwork(nn.Module):
    """z (and a label) -> w, one copy per style layer, optionally truncated toward the mean w."""

    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        num_ws: int | None,
        *,
        num_layers: int = 8,
        embed_features: int | None = None,
        layer_features: int | None = None,
        lr_multiplier: float = 0.01,
        w_avg_beta: float | None = 0.998,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.num_ws, self.num_layers, self.w_avg_beta = num_ws, num_layers, w_avg_beta
        embedded = 0 if c_dim == 0 else (w_dim if embed_features is None else embed_features)
        hidden = w_dim if layer_features is None else layer_features
        widths = [z_dim + embedded] + [hidden] * (num_layers - 1) + [w_dim]
        if c_dim > 0:
            self.embed = FullyConnected(c_dim, embedded)
        for i in range(num_layers):
            layer = FullyConnected(widths[i], widths[i + 1], activation="lrelu", lr_multiplier=lr_multiplier)
            setattr(self, f"fc{i}", layer)
        if num_ws is not None and w_avg_beta is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(
        self,
        z_BZ: Tensor | None,
        c_BY: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_w_avg: bool = False,
    ) -> Tensor:
        """[B, z_dim], [B, c_dim] -> [B, num_ws, w_dim] ([B, w_dim] where num_ws is None).

        `truncation_psi` 0 gives the mean face, 1 leaves w as it is; `truncation_cutoff` restricts
        it to the first layers. `update_w_avg` moves the running mean (training only).
        """
        w_BD = self._map(z_BZ, c_BY)
        if update_w_avg and self.w_avg_beta is not None:
            self.w_avg.copy_(w_BD.detach().mean(dim=0).lerp(self.w_avg, self.w_avg_beta))
        if self.num_ws is None:
            return w_BD
        ws_BLD = w_BD.unsqueeze(1).expand(-1, self.num_ws, -1)
        if truncation_psi == 1:
            return ws_BLD
        psi_L1 = ws_BLD.new_ones(self.num_ws, 1)
        psi_L1[:truncation_cutoff] = truncation_psi
        truncated: Tensor = self.w_avg + psi_L1 * (ws_BLD - self.w_avg)
        return truncated

    def _map(self, z_BZ: Tensor | None, c_BY: Tensor | None) -> Tensor:
        parts = []
        if self.z_dim > 0:
            assert z_BZ is not None
            parts.append(normalise(z_BZ.float()))
        if self.c_dim > 0:
            assert c_BY is not None, "this network is class-conditional: give labels"
            parts.append(normalise(self.embed(c_BY.float())))
        x = torch.cat(parts, dim=1)
        for i in range(self.num_layers):
            x = getattr(self, f"fc{i}")(x)
        return x


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


class Generator(nn.Module):
    """Mapping, then synthesis. `synthesis_kwargs` may be nested or flat, as both official
    repositories have it."""

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        img_resolution: int,
        img_channels: int,
        *,
        mapping_kwargs: Mapping[str, Any] | None = None,
        synthesis_kwargs: Mapping[str, Any] | None = None,
        **flat_synthesis_kwargs: Any,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.img_resolution, self.img_channels = img_resolution, img_channels
        synthesis = {**(synthesis_kwargs or {}), **flat_synthesis_kwargs}
        self.synthesis = SynthesisNetwork(w_dim, img_resolution, img_channels, **synthesis)
        self.num_ws = self.synthesis.num_ws
        self.mapping = MappingNetwork(z_dim, c_dim, w_dim, self.num_ws, **(mapping_kwargs or {}))

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
