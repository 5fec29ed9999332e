"""The layers of StyleGAN's generator: convolution, noise, bias, leaky ReLU, adaptive instance normalisation."""
# B batch, D width of w, I O C channels, H W picture

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.equalised import Convolving, Dense, EqualisedWeight
from models.networks.layers import LEAKY_SLOPE

UNFUSED, FUSED = "unfused", "fused"


class ConstantNoise(nn.Module):
    """The stored noise of a layer, and how strongly each channel takes noise."""

    noise: Tensor

    def __init__(self, channels: int, resolution: int) -> None:
        super().__init__()
        self.register_buffer("noise", torch.randn(1, 1, resolution, resolution))
        self.weight = nn.Parameter(torch.zeros(channels))


class StyleModulation(nn.Module):
    """w -> the scale and shift of every channel."""

    def __init__(self, channels: int, w_dim: int) -> None:
        super().__init__()
        self.dense = Dense(w_dim, 2 * channels)

    def forward(self, x_BCHW: Tensor, w_BD: Tensor) -> Tensor:
        style_B2C11 = self.dense(w_BD)[:, :, None, None]
        # Slices: chunk becomes a sequence in ONNX, which runtimes for GPUs do not take.
        scale_BC11, shift_BC11 = style_B2C11[:, : x_BCHW.shape[1]], style_B2C11[:, x_BCHW.shape[1] :]
        return torch.addcmul(shift_BC11, x_BCHW, scale_BC11 + 1)


class Epilogue(nn.Module):
    """All that follows a layer's convolution (Karras et al. 2019, figure 1b)."""

    def __init__(self, channels: int, w_dim: int, resolution: int) -> None:
        super().__init__()
        self.apply_noise = ConstantNoise(channels, resolution)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style_mod = StyleModulation(channels, w_dim)

    def forward(
        self,
        x_BCHW: Tensor,
        w_BD: Tensor,
        *,
        noise_mode: str = "const",
        noise_B1HW: Tensor | None = None,
        noise_gain: Tensor | float = 1.0,
    ) -> Tensor:
        x = x_BCHW + self.bias[:, None, None]
        noise = self._noise(x_BCHW, noise_mode, noise_B1HW)
        if noise is not None:
            x = x + noise * (self.apply_noise.weight[:, None, None] * noise_gain)
        x = F.instance_norm(F.leaky_relu(x, LEAKY_SLOPE), eps=1e-8)
        styled: Tensor = self.style_mod(x, w_BD)  # Karras et al. 2019, Eq. 1
        return styled

    def _noise(self, x: Tensor, noise_mode: str, noise_B1HW: Tensor | None) -> Tensor | None:
        if noise_mode == "none":
            return None
        if noise_B1HW is not None:
            return noise_B1HW
        if noise_mode == "const":
            return self.apply_noise.noise
        return torch.randn(x.shape[0], 1, x.shape[2], x.shape[3], device=x.device)


class ConstantLayer(nn.Module):
    """The learned 4x4 picture that synthesis starts from, and its epilogue."""

    def __init__(self, channels: int, w_dim: int) -> None:
        super().__init__()
        self.first_layer = nn.Parameter(torch.ones(1, channels, 4, 4))
        self.epilogue = Epilogue(channels, w_dim, 4)

    def forward(self, x: None, w_BD: Tensor, **noise: object) -> Tensor:  # noqa: ARG002  # called like its successors
        const_BC44 = self.first_layer.expand(w_BD.shape[0], -1, -1, -1)
        y: Tensor = self.epilogue(const_BC44, w_BD, **noise)
        return y


class Blur(nn.Module):
    """The 3x3 binomial filter behind upsampling."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps_3 = torch.tensor([1.0, 2.0, 1.0])
        kernel_33 = torch.outer(taps_3, taps_3) / 16
        self.register_buffer("kernel", kernel_33.expand(channels, 1, 3, 3).clone())

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.conv2d(x_BCHW, self.kernel, padding=1, groups=x_BCHW.shape[1])


class StyleLayer(Convolving):
    """3x3 convolution and epilogue; `up` ("unfused" or "fused": the layout of its weight) doubles the picture."""

    def __init__(
        self, in_channels: int, out_channels: int, w_dim: int, resolution: int, *, up: str | None = None
    ) -> None:
        super().__init__(in_channels, out_channels, up=up is not None, fused=up == FUSED)
        if up is not None:
            self.blur = Blur(out_channels)
        self.epilogue = Epilogue(out_channels, w_dim, resolution)

    def forward(self, x_BIHW: Tensor, w_BD: Tensor, **noise: object) -> Tensor:
        """`noise`: the noise arguments of Epilogue."""
        y = self.convolve(x_BIHW)
        styled: Tensor = self.epilogue(self.blur(y) if self.is_up else y, w_BD, **noise)
        return styled


class ToRGB(nn.Module):
    """1x1 convolution to a picture."""

    def __init__(self, in_channels: int, img_channels: int) -> None:
        super().__init__()
        self.conv = EqualisedWeight(img_channels, in_channels, 1, 1, gain=1.0)
        self.bias = nn.Parameter(torch.zeros(img_channels))

    def forward(self, x_BIHW: Tensor) -> Tensor:
        return F.conv2d(x_BIHW, self.conv.scaled(), self.bias)
