"""StyleGAN's generator (Karras et al. 2019), under the tensor names of genforce's port."""
# B batch, Z latent, D width of w, L style layer, C channel, H W picture

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.equalised import Dense, channels_at
from models.networks.layers import normalise
from models.networks.progressive import fade, split_lod
from models.networks.stylegan1_layer import ConstantLayer, StyleLayer, ToRGB
from models.networks.stylegan2 import NOISE_MODES, block_resolutions, check_resolution
from models.networks.tensor_names import check_grown, check_same_names, count_of, resolution_of, shape_of, value_of
from models.networks.truncation import layer_psi, truncate

FAMILY = "StyleGAN generator"
FUSED_FROM = 128
"""The resolution from which fused_scale "auto" fuses upsampling with the convolution behind it."""


class MappingNetwork(nn.Module):
    """z -> w, one copy per style layer."""

    def __init__(
        self, z_dim: int, w_dim: int, num_ws: int, *, num_layers: int = 8, features: int | None = None
    ) -> None:
        super().__init__()
        self.num_ws, self.num_layers = num_ws, num_layers
        hidden = w_dim if features is None else features
        widths = [z_dim] + [hidden] * (num_layers - 1) + [w_dim]
        for i in range(num_layers):
            dense = Dense(widths[i], widths[i + 1], activation="lrelu", lr_multiplier=0.01)
            setattr(self, f"dense{i}", dense)

    def forward(self, z_BZ: Tensor, c_BY: Tensor | None = None) -> Tensor:
        """[B, z_dim] -> [B, num_ws, w_dim], not truncated. There are no labels."""
        assert c_BY is None, "StyleGAN takes no labels"
        x = normalise(z_BZ)
        for i in range(self.num_layers):
            x = getattr(self, f"dense{i}")(x)
        return x.unsqueeze(1).expand(-1, self.num_ws, -1)


class Truncation(nn.Module):
    """The mean w, and how far the published picture is truncated toward it."""

    w_avg: Tensor
    truncation: Tensor

    def __init__(self, w_dim: int, num_ws: int, psi: float, cutoff: int) -> None:
        super().__init__()
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.register_buffer("truncation", layer_psi(num_ws, psi, cutoff)[None, :, None])

    def forward(self, ws_BLD: Tensor) -> Tensor:
        """Truncate as published: by the stored psi of each layer."""
        return truncate(ws_BLD, self.w_avg, self.truncation[0, :, 0])

    @torch.no_grad()
    def update(self, ws_BLD: Tensor, beta: float = 0.995) -> None:
        """Move the running mean (training only)."""
        self.w_avg.copy_(ws_BLD[:, 0].mean(dim=0).lerp(self.w_avg, beta))


class SynthesisNetwork(nn.Module):
    """ws -> picture."""

    lod: Tensor

    def __init__(
        self, w_dim: int, img_resolution: int, img_channels: int, channels: Sequence[int], fused_scale: bool | str
    ) -> None:
        super().__init__()
        self.resolutions = block_resolutions(img_resolution)
        self.num_ws = 2 * len(self.resolutions)
        for level, (res, width) in enumerate(zip(self.resolutions, channels, strict=True)):
            if level == 0:
                self.layer0 = ConstantLayer(width, w_dim)
            else:
                up = "fused" if res in fused_resolutions(img_resolution, fused_scale) else "unfused"
                setattr(self, f"layer{2 * level}", StyleLayer(channels[level - 1], width, w_dim, res, up=up))
            setattr(self, f"layer{2 * level + 1}", StyleLayer(width, width, w_dim, res))
            setattr(self, f"output{level}", ToRGB(width, img_channels))
        self.register_buffer("lod", torch.zeros(()))

    def forward(
        self,
        ws_BLD: Tensor,
        noise_mode: str = "const",
        noise: Sequence[Tensor] | None = None,
        noise_gain: Tensor | float = 1.0,
        lod: float = 0.0,
    ) -> Tensor:
        """[B, num_ws, w_dim] -> [B, img_channels, R, R], about -1..1, not clamped.

        `noise_mode`: const (the stored pictures), none, random. `noise` gives each layer's noise itself (see
        `seeded_noise`); `noise_gain` multiplies every layer's noise. A `lod` above 0 (training) gives R / 2^floor(lod).
        """
        if noise_mode not in NOISE_MODES:
            raise ValueError(f"noise_mode is {noise_mode!r}; known are {', '.join(NOISE_MODES)}")
        finest, coarser_share = split_lod(lod, len(self.resolutions))
        x: Tensor | None = None
        coarser: Tensor | None = None
        for i in range(2 * finest + 2):
            coarser = x if i % 2 == 0 else coarser
            given = None if noise is None else noise[i]
            layer = getattr(self, f"layer{i}")
            x = layer(x, ws_BLD[:, i], noise_mode=noise_mode, noise_B1HW=given, noise_gain=noise_gain)
        img: Tensor = getattr(self, f"output{finest}")(x)
        if coarser_share == 0:
            return img
        return fade(img, getattr(self, f"output{finest - 1}")(coarser), coarser_share)


class Generator(nn.Module):
    """Mapping, then synthesis."""

    def __init__(
        self,
        z_dim: int = 512,
        w_dim: int = 512,
        img_resolution: int = 1024,
        img_channels: int = 3,
        *,
        channels: Sequence[int] | None = None,
        mapping_layers: int = 8,
        mapping_features: int | None = None,
        fused_scale: bool | str = "auto",
        truncation_psi: float = 0.7,
        truncation_cutoff: int = 8,
    ) -> None:
        """`channels` are those at 4, 8, ... img_resolution. `fused_scale`: True, False, or "auto" (from 128 up);
        it chooses the layout of the upsampling layers' weights. The truncation is what `truncation.truncation` holds.
        """
        super().__init__()
        check_resolution(img_resolution)
        channels = channels_at(img_resolution, channels)
        self.z_dim, self.c_dim, self.w_dim = z_dim, 0, w_dim
        self.img_resolution, self.img_channels = img_resolution, img_channels
        self.synthesis = SynthesisNetwork(w_dim, img_resolution, img_channels, channels, fused_scale)
        self.num_ws = self.synthesis.num_ws
        self.mapping = MappingNetwork(z_dim, w_dim, self.num_ws, num_layers=mapping_layers, features=mapping_features)
        self.truncation = Truncation(w_dim, self.num_ws, truncation_psi, truncation_cutoff)

    @property
    def w_avg(self) -> Tensor:
        """The mean w, [w_dim]."""
        return self.truncation.w_avg

    def forward(
        self,
        z_BZ: Tensor,
        c_BY: Tensor | None = None,
        truncation_psi: float | None = 1.0,
        truncation_cutoff: int | None = None,
        **noise: Any,
    ) -> Tensor:
        """[B, z_dim] -> [B, img_channels, R, R]; psi None truncates as published; `noise` as in SynthesisNetwork."""
        ws_BLD = self.mapping(z_BZ, c_BY)
        if truncation_psi is None:
            ws_BLD = self.truncation(ws_BLD)
        elif truncation_psi != 1:
            psi_L = layer_psi(self.num_ws, truncation_psi, truncation_cutoff).to(ws_BLD.device)
            ws_BLD = truncate(ws_BLD, self.w_avg, psi_L)
        img: Tensor = self.synthesis(ws_BLD, **noise)
        return img


def fused_resolutions(img_resolution: int, fused_scale: bool | str) -> list[int]:
    """The resolutions whose upsampling is fused; ValueError where `fused_scale` is not True, False or "auto"."""
    if fused_scale not in (True, False, "auto"):
        raise ValueError(f"fused_scale is {fused_scale!r}; known are true, false and 'auto'")
    doubled = block_resolutions(img_resolution)[1:]
    if fused_scale == "auto":
        return [res for res in doubled if res >= FUSED_FROM]
    return doubled if fused_scale else []


def seeded_noise(synthesis: SynthesisNetwork, seeds: Sequence[int]) -> list[Tensor]:
    """One [B, 1, r, r] per layer: row b depends on seeds[b] alone, whatever its company."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    sizes = [res for res in synthesis.resolutions for _ in range(2)]
    return [torch.stack([torch.randn(1, size, size, generator=each) for each in generators]) for size in sizes]


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments for a published state dict.

    Raises ValueError, in one sentence, where the tensors are not all those of one StyleGAN generator, or where its
    growing stopped before the full resolution.
    """
    num_dense = count_of(tensors, "mapping.dense{}.linear.weight", FAMILY)
    num_layers = count_of(tensors, "synthesis.layer{}.epilogue.bias", FAMILY)
    features, z_dim = shape_of(tensors, "mapping.dense0.linear.weight", 2, FAMILY)
    (w_dim,) = shape_of(tensors, "truncation.w_avg", 1, FAMILY)
    img_resolution = resolution_of(num_layers, FAMILY)
    levels = range(num_layers // 2)
    truncation_L = value_of(tensors, "truncation.truncation", FAMILY).flatten()
    kwargs = {
        "z_dim": z_dim,
        "w_dim": w_dim,
        "img_resolution": img_resolution,
        "img_channels": shape_of(tensors, "synthesis.output0.bias", 1, FAMILY)[0],
        "channels": [shape_of(tensors, f"synthesis.layer{2 * i}.epilogue.bias", 1, FAMILY)[0] for i in levels],
        "mapping_layers": num_dense,
        "mapping_features": features if num_dense > 1 else w_dim,
        "fused_scale": _fused_scale(tensors, img_resolution),
        "truncation_psi": round(truncation_L[0].item(), 6),
        "truncation_cutoff": int((truncation_L != 1).sum()),
    }
    check_same_names(Generator, kwargs, tensors, FAMILY)
    check_grown(tensors, "synthesis.lod", FAMILY)
    return kwargs


def _fused_scale(tensors: Mapping[str, Tensor], img_resolution: int) -> bool | str:
    doubled = block_resolutions(img_resolution)[1:]
    fused = [res for i, res in enumerate(doubled) if f"synthesis.layer{2 * i + 2}.weight" in tensors]
    for fused_scale in ("auto", False, True):
        if fused == fused_resolutions(img_resolution, fused_scale):
            return fused_scale
    raise ValueError(f"not a {FAMILY}: upsampling is fused at {fused}, which is neither all, none, nor all from 128")
