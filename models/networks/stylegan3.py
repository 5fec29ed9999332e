"""StyleGAN3's generator, T and R (Karras et al. 2021), under the tensor names of the official PyTorch release.

T (translation) has 3x3 convolutions; R (translation and rotation) has conv_kernel 1 and use_radial_filters, and as
published twice the channel_base and channel_max.
"""
# N batch, Z latent, Y label, D width of w, L style layer

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from models.networks.stylegan2 import PRECISION_KWARGS, MappingNetwork
from models.networks.stylegan3_input import SynthesisInput
from models.networks.stylegan3_layer import SynthesisLayer
from models.networks.stylegan3_schedule import schedule


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
        num_layers: int = 14,
        num_critical: int = 2,
        first_cutoff: float = 2,
        first_stopband: float = 2**2.1,
        last_stopband_rel: float = 2**0.3,
        margin_size: int = 10,
        output_scale: float = 0.25,
        **layer_kwargs: Any,
    ) -> None:
        """`layer_kwargs`: conv_kernel, filter_size, lrelu_upsampling, use_radial_filters, conv_clamp,
        magnitude_ema_beta. The last `num_critical` layers are sampled critically: filtered by no more than the picture
        can show."""
        super().__init__()
        self.w_dim, self.img_resolution, self.img_channels = w_dim, img_resolution, img_channels
        self.num_ws, self.output_scale = num_layers + 2, output_scale
        signals = schedule(
            img_resolution,
            img_channels,
            channel_base=channel_base,
            channel_max=channel_max,
            num_layers=num_layers,
            num_critical=num_critical,
            first_cutoff=first_cutoff,
            first_stopband=first_stopband,
            last_stopband_rel=last_stopband_rel,
            margin_size=margin_size,
        )
        layer_kwargs = {k: v for k, v in layer_kwargs.items() if k not in PRECISION_KWARGS}
        self.input = SynthesisInput(w_dim, signals[0])
        self.layer_names = []
        for i, (source, target) in enumerate(zip([signals[0], *signals], signals, strict=False)):
            layer = SynthesisLayer(
                w_dim,
                source,
                target,
                is_torgb=i == num_layers,
                is_critically_sampled=i >= num_layers - num_critical,
                **layer_kwargs,
            )
            self.layer_names.append(f"L{i}_{target.size}_{target.channels}")
            setattr(self, self.layer_names[i], layer)

    def forward(
        self,
        ws_NLD: Tensor,
        transform_N33: Tensor | None = None,
        noise_mode: str = "const",  # noqa: ARG002
        noise_gain: Tensor | float = 1.0,  # noqa: ARG002
        update_emas: bool = False,
    ) -> Tensor:
        """[N, num_ws, w_dim] -> [N, img_channels, R, R] float32, about -1..1, not clamped.

        `transform_N33` ([N, 3, 3], or [3, 3] for all) moves and turns the picture, see models.transforms; where None,
        `input.transform` does. The noise arguments of the other families change nothing: StyleGAN3 has none.
        `update_emas` moves the running magnitudes (training only).
        """
        x = self.input(ws_NLD[:, 0], transform_N33)
        for i, name in enumerate(self.layer_names):
            x = getattr(self, name)(x, ws_NLD[:, i + 1], update_emas)
        img: Tensor = x.float() * self.output_scale
        return img


class Generator(nn.Module):
    """Mapping, then synthesis. `synthesis_kwargs` may be nested or flat."""

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
        self.mapping = MappingNetwork(z_dim, c_dim, w_dim, self.num_ws, **{"num_layers": 2, **(mapping_kwargs or {})})

    @property
    def w_avg(self) -> Tensor:
        """The mean w, [w_dim]."""
        return self.mapping.w_avg

    def forward(
        self,
        z_NZ: Tensor,
        c_NY: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_emas: bool = False,
        **synthesis: Any,
    ) -> Tensor:
        """[N, z_dim], [N, c_dim] -> [N, img_channels, R, R]; `synthesis`: further arguments of SynthesisNetwork."""
        ws_NLD = self.mapping(z_NZ, c_NY, truncation_psi, truncation_cutoff, update_w_avg=update_emas)
        img: Tensor = self.synthesis(ws_NLD, update_emas=update_emas, **synthesis)
        return img
