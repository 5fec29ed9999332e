"""The network that looks at one face from close by: is it one, and where are its eyes, its nose, its mouth corners?"""
# N batch, C channel, S side of a close-up, F feature

from torch import Tensor, nn

from models.networks.locator import OUTPUTS, ConvNorm

SIDE = 64
"""Of a close-up, in pixels."""
UNITS = 3.0
"""Of a close-up, in eye distances of a face that looks straight on."""


class LandmarkNetwork(nn.Module):
    """[N, 3, 64, 64] in -1..1, a face in its middle, about upright -> [N, 11]: the logit of there being a face, then x
    and y of five landmarks in the order of models.alignment.LANDMARKS, from the picture's middle in halves of its side.
    """

    def __init__(self, width: int = 56, features: int = 96) -> None:
        super().__init__()
        self.kwargs = {"width": width, "features": features}
        self.convolutions = nn.Sequential(
            ConvNorm(3, 16, stride=2),
            ConvNorm(16, 32, stride=2),
            ConvNorm(32, 32),
            ConvNorm(32, width, stride=2),
            ConvNorm(width, width),
            ConvNorm(width, width),
            ConvNorm(width, width, stride=2),
        )
        cells = (SIDE // 16) ** 2
        self.all_of_it = nn.Sequential(nn.Flatten(), nn.Linear(width * cells, features), nn.ReLU(inplace=True))
        self.head = nn.Linear(features, OUTPUTS)

    def forward(self, x_NCSS: Tensor) -> Tensor:
        y_NF = self.all_of_it(self.convolutions(x_NCSS))
        found: Tensor = self.head(y_NF)
        return found
