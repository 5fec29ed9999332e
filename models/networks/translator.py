"""The generator of CycleGAN: a ResNet from picture to picture (Zhu et al. 2017, appendix 7.2)."""
# N batch, C channel, H W picture

import re
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.norms import check_names, has_bias, new_norm, norm_of

TASKS = ("colourise", "upscale", "inpaint", "drawing")
UPSCALE = 4
"""How many times larger the task upscale makes a picture."""
UPSAMPLES = ("transpose", "resize")
FIRST_BLOCK = 10
"""Index of the first residual block: before it stand a padding and three convolutions with norm and ReLU."""
SIZE_MULTIPLE = 4
SMALLEST = 8


class ResizeConv(nn.Conv2d):
    """Twice the size by repetition, then a convolution: no checkerboard (Odena et al. 2016), where a transposed
    convolution of 3x3 and stride 2 covers some pixels four times and others once."""

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, padding_mode="reflect", bias=bias)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return super().forward(F.interpolate(x_NCHW, scale_factor=2.0, mode="nearest"))


class ResidualBlock(nn.Module):
    """x + two convolutions of x."""

    def __init__(self, channels: int, norm: str, use_dropout: bool, evaluation: str) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_padded_conv(channels, norm, evaluation), nn.ReLU()]
        if use_dropout:
            layers.append(nn.Dropout(0.5))
        self.conv_block = nn.Sequential(*layers, *_padded_conv(channels, norm, evaluation))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        added: Tensor = x_NCHW + self.conv_block(x_NCHW)
        return added


class ResnetTranslator(nn.Module):
    """A picture in -1..1 -> a picture in -1..1 of the same size, under the published tensor names.

    Height and width are multiples of `size_multiple` (4), from 8. `upsample`: transpose, as published, or resize.
    `evaluation`: of batch norm, see BatchNorm. `residual`: the layers draw what is added to the input, so that a
    network that has learnt little changes little (Kim et al. 2016); no tensor tells. `task`: what it learnt from pairs
    made of pictures, one of TASKS; None: anything else. The layers do not depend on it, those who run them do.
    """

    size_multiple = SIZE_MULTIPLE

    def __init__(
        self,
        *,
        input_nc: int = 3,
        output_nc: int = 3,
        ngf: int = 64,
        n_blocks: int = 9,
        norm: str = "instance",
        use_dropout: bool = False,
        upsample: str = "transpose",
        evaluation: str = "running",
        residual: bool = False,
        task: str | None = None,
    ) -> None:
        super().__init__()
        if upsample not in UPSAMPLES:
            raise ValueError(f"upsample is {upsample!r}; known are {', '.join(UPSAMPLES)}")
        if residual and output_nc > input_nc:
            raise ValueError(f"{output_nc} channels cannot be added to an input of {input_nc}")
        self.input_nc, self.output_nc, self.residual = input_nc, output_nc, residual
        self.task = checked_task(task)
        bias = has_bias(norm)

        def normalised(channels: int) -> list[nn.Module]:
            return [new_norm(norm, channels, evaluation), nn.ReLU()]

        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(input_nc, ngf, 7, bias=bias), *normalised(ngf)]
        for width in (ngf, 2 * ngf):
            down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias)
            layers += [down, *normalised(2 * width)]
        layers += [ResidualBlock(4 * ngf, norm, use_dropout, evaluation) for _ in range(n_blocks)]
        for width in (4 * ngf, 2 * ngf):
            layers += [_upward(width, upsample, bias), *normalised(width // 2)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, output_nc, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """[N, input_nc, H, W] -> [N, output_nc, H, W]. Raises ValueError for a size that does not fit."""
        if not torch.compiler.is_exporting():
            check_size(x_NCHW, SIZE_MULTIPLE, SMALLEST)
        translated: Tensor = self.model(x_NCHW)
        return x_NCHW[:, : self.output_nc] + translated if self.residual else translated


def checked_task(task: str | None) -> str | None:
    """Raise ValueError for a task that there is not."""
    if task is not None and task not in TASKS:
        raise ValueError(f"task is {task!r}; known are {', '.join(TASKS)}")
    return task


def check_size(x_NCHW: Tensor, multiple: int, smallest: int) -> None:
    """Raise ValueError unless height and width are multiples of `multiple`, at least `smallest`."""
    height, width = x_NCHW.shape[2:]
    if height % multiple or width % multiple or min(height, width) < smallest:
        raise ValueError(f"the picture is {width}x{height}; both sides must be multiples of {multiple} from {smallest}")


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments, told by the names and shapes of a CycleGAN generator's state dict.

    Names are the published ones, without prefixes. `residual` leaves no trace, and is taken as off, as published.
    Raises ValueError where the tensors are not of such a generator.
    """
    found = [re.fullmatch(r"model\.(\d+)\.conv_block\.\d+\.weight", name) for name in tensors]
    places = sorted({int(match[1]) for match in found if match})
    if not places or places != list(range(FIRST_BLOCK, FIRST_BLOCK + len(places))):
        raise ValueError(f"this is no ResNet generator of CycleGAN: its residual blocks are {places or 'missing'}")
    block, after = f"model.{FIRST_BLOCK}.conv_block", FIRST_BLOCK + len(places)
    needed = ("model.1.weight", f"model.{after}.weight", f"model.{after + 7}.weight", f"{block}.1.weight")
    if missing := [name for name in needed if name not in tensors]:
        raise ValueError(
            f"this is no ResNet generator of CycleGAN: it lacks {missing[0]!r} "
            "(networks with padding other than reflection or with anti-aliased resampling cannot be read)"
        )
    ngf = tensors["model.1.weight"].shape[0]
    kwargs: dict[str, Any] = {
        "input_nc": tensors["model.1.weight"].shape[1],
        "output_nc": tensors[f"model.{after + 7}.weight"].shape[0],
        "ngf": ngf,
        "n_blocks": len(places),
        "norm": norm_of(tensors, "model.1", "model.2"),
        # Dropout has no tensors, but it moves the block's second convolution from place 5 to 6.
        "use_dropout": _is_convolution(tensors, f"{block}.6.weight"),
        # A transposed convolution's weight has the input channels first.
        "upsample": "transpose" if tensors[f"model.{after}.weight"].shape[0] == 4 * ngf else "resize",
    }
    with torch.device("meta"):
        check_names(tensors, ResnetTranslator(**kwargs).state_dict(), "a ResNet generator of CycleGAN like this")
    return kwargs


def _padded_conv(channels: int, norm: str, evaluation: str) -> list[nn.Module]:
    conv = nn.Conv2d(channels, channels, 3, bias=has_bias(norm))
    return [nn.ReflectionPad2d(1), conv, new_norm(norm, channels, evaluation)]


def _upward(channels: int, upsample: str, bias: bool) -> nn.Module:
    if upsample == "resize":
        return ResizeConv(channels, channels // 2, bias=bias)
    return nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)


def _is_convolution(tensors: Mapping[str, Tensor], name: str) -> bool:
    return name in tensors and tensors[name].dim() == 4
