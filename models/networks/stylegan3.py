"""StyleGAN3's generator, T and R (Karras et al. 2021), under the tensor names of the official PyTorch release.

T (translation) has 3x3 convolutions; R (translation and rotation) has conv_kernel 1 and use_radial_filters, and as
published twice the channel_base and channel_max.
"""
# N batch, Z latent, Y label, D width of w, L style layer

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from torch import Tensor, nn

from models.networks.style_generator import StyleGenerator
from models.networks.stylegan2 import PRECISION_KWARGS
from models.networks.stylegan3_input import SynthesisInput
from models.networks.stylegan3_layer import SynthesisLayer
from models.networks.stylegan3_schedule import schedule
from models.networks.tensor_names import check_same_names, count_of, shape_of, value_of

FAMILY: Final = "StyleGAN3 generator"
LAYER_WEIGHT: Final = re.compile(r"synthesis\.(L(\d+)_(\d+)_(\d+))\.weight")


class SynthesisNetwork(nn.Module):
    """ws -> picture."""

    def __init__(
        self,
        w_dim: int,
        img_resolution: int,
        img_channels: int,
        *,
        num_layers: int = 14,
        num_critical: int = 2,
        conv_kernel: int = 3,
        filter_size: int = 6,
        lrelu_upsampling: int = 2,
        use_radial_filters: bool = False,
        conv_clamp: float | None = 256,
        magnitude_ema_beta: float = 0.999,
        output_scale: float = 0.25,
        **schedule_kwargs: Any,
    ) -> None:
        """`schedule_kwargs`: channel_base, channel_max, first_cutoff, first_stopband, last_stopband_rel, margin_size.

        The last `num_critical` layers before the picture's are sampled critically: their band is as wide as the picture
        can show, and they are filtered without radial filters.
        """
        super().__init__()
        self.w_dim, self.img_resolution, self.img_channels = w_dim, img_resolution, img_channels
        self.num_ws, self.output_scale = num_layers + 2, output_scale
        schedule_kwargs = {k: v for k, v in schedule_kwargs.items() if k not in PRECISION_KWARGS}
        signals = schedule(
            img_resolution, img_channels, num_layers=num_layers, num_critical=num_critical, **schedule_kwargs
        )
        self.input = SynthesisInput(w_dim, signals[0])
        self.layer_names = []
        for i, (source, target) in enumerate(zip([signals[0], *signals], signals, strict=False)):
            layer = SynthesisLayer(
                w_dim,
                source,
                target,
                is_torgb=i == num_layers,
                is_critically_sampled=i >= num_layers - num_critical,
                conv_kernel=conv_kernel,
                filter_size=filter_size,
                lrelu_upsampling=lrelu_upsampling,
                use_radial_filters=use_radial_filters,
                conv_clamp=conv_clamp,
                magnitude_ema_beta=magnitude_ema_beta,
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


class Generator(StyleGenerator):
    """StyleGAN3's, T and R."""

    SYNTHESIS = SynthesisNetwork
    MAPPING_KWARGS: ClassVar = {"num_layers": 2}

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


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments for a published state dict.

    Neither names nor shapes tell conv_clamp, output_scale, num_critical and the first and last bands: those are taken
    as published. Raises ValueError, in one sentence, where the tensors are not all those of one StyleGAN3 generator.
    """
    layers = _layers(tensors)
    first, (_, resolution, img_channels) = layers[0][0], layers[-1]
    (w_dim,) = shape_of(tensors, "mapping.w_avg", 1, FAMILY)
    c_dim = shape_of(tensors, "mapping.embed.weight", 2, FAMILY)[1] if "mapping.embed.weight" in tensors else 0
    z_dim = shape_of(tensors, "mapping.fc0.weight", 2, FAMILY)[1] - (w_dim if c_dim else 0)
    kwargs = {
        "z_dim": z_dim,
        "c_dim": c_dim,
        "w_dim": w_dim,
        "img_resolution": resolution,
        "img_channels": img_channels,
        "mapping_kwargs": {"num_layers": count_of(tensors, "mapping.fc{}.weight", FAMILY)},
        "num_layers": len(layers) - 1,
        "conv_kernel": shape_of(tensors, f"synthesis.{first}.weight", 4, FAMILY)[2],
        "use_radial_filters": value_of(tensors, f"synthesis.{first}.down_filter", FAMILY).ndim == 2,
        "filter_size": shape_of(tensors, f"synthesis.{first}.up_filter", 1, FAMILY)[0] // 2,
        **_widths(layers),
    }
    check_same_names(Generator, kwargs, tensors, FAMILY)
    return kwargs


def _layers(tensors: Mapping[str, Tensor]) -> list[tuple[str, int, int]]:
    """The layers' names, sizes and channels, in order."""
    found = {int(match[2]): match for match in map(LAYER_WEIGHT.fullmatch, tensors) if match}
    if not found or sorted(found) != list(range(len(found))):
        raise ValueError(f"these tensors are not a {FAMILY}: no row of layers synthesis.L0_..., synthesis.L1_..., ...")
    return [(found[i][1], int(found[i][3]), int(found[i][4])) for i in range(len(found))]


def _widths(layers: list[tuple[str, int, int]]) -> dict[str, int]:
    """channel_base, channel_max and margin_size. A layer has min(channel_base / 2 / cutoff, channel_max) channels."""
    signals = schedule(layers[-1][1], layers[-1][2], num_layers=len(layers) - 1)
    rows = [(signal.cutoff, channels) for signal, (_, _, channels) in zip(signals[:-1], layers, strict=False)]
    widest = max(channels for _, channels in rows)
    least = max(2 * cutoff * (channels - 0.5) for cutoff, channels in rows)
    most = min((2 * cutoff * (channels + 0.5) for cutoff, channels in rows if channels < widest), default=math.inf)
    power = 2 ** math.ceil(math.log2(least))
    base = power if power <= most else round((least + most) / 2)
    return {"channel_base": base, "channel_max": widest, "margin_size": (layers[0][1] - round(signals[0].rate)) // 2}
