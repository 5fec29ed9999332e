"""The face locator: a small convolutional network that says, for each square of 8 pixels, whether a face is centred
there and where its eyes, nose and mouth corners are (faces as points: Zhou et al. 2019)."""
# N batch, C channel, H W picture, h w map

import torch
from torch import Tensor, nn

STRIDE = 8
REACH = 16.0
"""Pixels that one unit of the landmark outputs stands for: about an eye distance."""
POINTS = 5
OUTPUTS = 1 + 2 * POINTS


class ConvNorm(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class LocatorNetwork(nn.Module):
    """[N, 3, H, W] in -1..1 -> [N, 11, H/8, W/8]: the logit of a face's centre, then x and y of the left-in-image eye,
    the right-in-image eye, the nose, the left and right mouth corner, from the square's middle in units of REACH.

    It knows faces whose eyes are about 7 to 20 pixels apart; others are met in a picture of another size. width:
    channels at the last resolution. depth: convolutions there.
    """

    size_multiple = STRIDE

    def __init__(self, width: int = 48, depth: int = 6) -> None:
        super().__init__()
        self.kwargs = {"width": width, "depth": depth}
        self.stem = nn.Sequential(
            ConvNorm(3, 16, stride=2),
            ConvNorm(16, 24, stride=2),
            ConvNorm(24, 24),
            ConvNorm(24, width, stride=2),
        )
        # Alternately near and far, so that the last square has seen a face and some surroundings.
        self.body = nn.ModuleList(ConvNorm(width, width, dilation=1 + i % 2) for i in range(depth))
        self.head = nn.Conv2d(width, OUTPUTS, 1)
        bias = torch.zeros(OUTPUTS)
        # A face is rare: begin with one square in a hundred.
        bias[0] = -4.6
        with torch.no_grad():
            self.head.weight.mul_(0.1)
        self.head.bias = nn.Parameter(bias)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NChw = self.stem(x_NCHW)
        for layer in self.body:
            y_NChw = y_NChw + layer(y_NChw)
        found: Tensor = self.head(y_NChw)
        return found
