"""Progressive GAN's discriminator (Karras et al. 2018, table 2); the tensor names are ours."""
# B batch, C I O channels, H W picture

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.equalised import Bias, Convolving, Dense, channels_at
from models.networks.layers import LEAKY_SLOPE
from models.networks.progressive import halve, split_lod
from models.networks.stylegan1_layer import Blur
from models.networks.stylegan2 import check_resolution
from models.networks.stylegan2_discriminator import with_minibatch_std


class ConvLayer(Convolving):
    """Convolution, bias, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__(in_channels, out_channels, kernel_size)
        self.wscale = Bias(out_channels)

    def forward(self, x_BIHW: Tensor) -> Tensor:
        return F.leaky_relu(self.convolve(x_BIHW, self.wscale.bias), LEAKY_SLOPE)


class Discriminator(nn.Module):
    """Picture -> realness. Level 0 is 4x4; each `block{level}` halves the picture."""

    def __init__(
        self,
        img_resolution: int = 1024,
        img_channels: int = 3,
        *,
        channels: Sequence[int] | None = None,
        mbstd_group_size: int | None = 4,
        blur: bool = False,
    ) -> None:
        """`channels` are those at 4, 8, ... img_resolution. `blur`: filter before halving, as StyleGAN's does (Karras
        et al. 2019, section 2)."""
        super().__init__()
        check_resolution(img_resolution)
        widths = channels_at(img_resolution, channels)
        self.img_resolution, self.num_levels, self.mbstd_group_size = img_resolution, len(widths), mbstd_group_size
        for level, width in enumerate(widths):
            setattr(self, f"fromrgb{level}", ConvLayer(img_channels, width, 1))
            if level > 0:
                filters = [Blur(width)] if blur else []
                block = nn.Sequential(ConvLayer(width, width), *filters, ConvLayer(width, widths[level - 1]))
                setattr(self, f"block{level}", block)
        self.conv = ConvLayer(widths[0] + 1, widths[0])
        self.fc = Dense(16 * widths[0], widths[0], activation="lrelu")
        self.out = Dense(widths[0], 1)

    def forward(self, img_BCHW: Tensor, lod: float = 0.0) -> Tensor:
        """[B, img_channels, R, R] in -1..1 -> logits [B, 1], higher is more real.

        At a `lod` above 0 the picture has R / 2^floor(lod). B must be a multiple of the group size, or below it.
        """
        finest, coarser_share = split_lod(lod, self.num_levels)
        self._check_size(img_BCHW, finest)
        x: Tensor = getattr(self, f"fromrgb{finest}")(img_BCHW)
        for level in range(finest, 0, -1):
            x = halve(getattr(self, f"block{level}")(x))
            if level == finest and coarser_share > 0:
                x = x.lerp(getattr(self, f"fromrgb{level - 1}")(halve(img_BCHW)), coarser_share)
        x = self.conv(with_minibatch_std(x, self.mbstd_group_size, 1))
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits

    def _check_size(self, img_BCHW: Tensor, finest: int) -> None:
        size = 4 * 2**finest
        if img_BCHW.shape[2:] != (size, size):
            raise ValueError(f"the picture is {tuple(img_BCHW.shape[2:])}; at this lod it must be {size}x{size}")
