"""The augmentations of StyleGAN2-ADA that do not leak: geometry and colour (Karras et al. 2020a, appendix B).

Each is drawn for each picture by itself with the probability in force, so that pictures as they are remain the most
frequent ones, and a generator does not learn to draw altered ones.
"""
# B batch, C channel, H W picture

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.networks.layers import full_precision
from training.draws import ALONE, Draws
from training.resampling import warp

LUMA_AXIS = (1 / math.sqrt(3),) * 3


@dataclass(frozen=True)
class Pipe:
    """How far each alteration goes; 0: never. Fractions are of the picture's side, turns of a full circle."""

    mirror: bool = True
    quarter_turns: bool = True
    shift: float = 0.125
    """Whole pixels, uniform."""
    scale: float = 0.2
    """Standard deviation of log2."""
    turn: float = 0.5
    """Uniform within this share of a circle to either side."""
    stretch: float = 0.2
    """Standard deviation of log2 of width over the mean of width and height."""
    slide: float = 0.125
    """Standard deviation of a shift by fractions of pixels."""
    brightness: float = 0.2
    contrast: float = 0.5
    luma_flip: bool = True
    hue: float = 0.5
    saturation: float = 1.0

    def __call__(self, x_BCHW: Tensor, probability: float, draws: Draws = ALONE) -> Tensor:
        """[B, 3, H, W] -> the same shape and type. Twice differentiable."""
        with full_precision(x_BCHW):
            return self._altered(x_BCHW, _Chance(x_BCHW.shape[0], probability, draws)).to(x_BCHW.dtype)

    def _altered(self, x_BCHW: Tensor, chance: "_Chance") -> Tensor:
        inverse_B33 = self._geometry(chance, x_BCHW.shape[2], x_BCHW.shape[3])
        if not torch.equal(inverse_B33, torch.eye(3).expand_as(inverse_B33)):
            x_BCHW = warp(x_BCHW, inverse_B33)
        flat_BCP = x_BCHW.to(torch.promote_types(x_BCHW.dtype, torch.float32)).flatten(2)
        colour_B44 = self._colour(chance).to(flat_BCP)
        return (colour_B44[:, :3, :3] @ flat_BCP + colour_B44[:, :3, 3:]).view(x_BCHW.shape)

    def _geometry(self, chance: "_Chance", height: int, width: int) -> Tensor:
        """The inverse of all that moves pixels, in the order published: [B, 3, 3]."""
        size_2 = torch.tensor([width, height], dtype=torch.float32)
        inverse = torch.eye(3).expand(chance.rows, 3, 3)
        flip = 1 - 2 * chance.whole(2) * float(self.mirror)
        inverse = inverse @ _scaling(flip, torch.ones_like(flip))
        inverse = inverse @ _rotation(chance.whole(4) * (math.pi / 2 * float(self.quarter_turns)))
        inverse = inverse @ _translation(((chance.uniform(2) * self.shift) * size_2).round())
        scale = torch.exp2(chance.normal(1)[:, 0] * self.scale)
        inverse = inverse @ _scaling(1 / scale, 1 / scale)
        # Before and after the stretch, each with a chance such that both together have the one in force.
        turning = chance.halved()
        inverse = inverse @ _rotation(turning.uniform(1)[:, 0] * (2 * math.pi * self.turn))
        stretch = torch.exp2(chance.normal(1)[:, 0] * self.stretch)
        inverse = inverse @ _scaling(1 / stretch, stretch)
        inverse = inverse @ _rotation(turning.uniform(1)[:, 0] * (2 * math.pi * self.turn))
        return inverse @ _translation(chance.normal(2) * self.slide * size_2)

    def _colour(self, chance: "_Chance") -> Tensor:
        """What becomes of (red, green, blue, 1): [B, 4, 4]."""
        axis = torch.tensor([*LUMA_AXIS, 0.0])
        grey = torch.outer(axis, axis)
        colour = torch.eye(4).expand(chance.rows, 4, 4).clone()
        colour[:, :3, 3] = chance.normal(1) * self.brightness
        contrast = torch.exp2(chance.normal(1) * self.contrast)
        colour = torch.diag_embed(torch.cat([contrast.expand(-1, 3), torch.ones(chance.rows, 1)], dim=1)) @ colour
        flip = chance.whole(2)[:, None, None] * float(self.luma_flip)
        colour = (torch.eye(4) - 2 * grey * flip) @ colour
        colour = _turn_hue(chance.uniform(1)[:, 0] * (2 * math.pi * self.hue)) @ colour
        saturation = torch.exp2(chance.normal(1) * self.saturation)[:, :, None]
        return (grey + (torch.eye(4) - grey) * saturation) @ colour


PIPES = {
    "bgc": Pipe(),
    # A face stands upright, and its colours are not the negative's: what would never be seen need not be told apart.
    "upright": Pipe(quarter_turns=False, turn=1 / 36, luma_flip=False, hue=0.1, saturation=0.5),
}
"""bgc: as published. upright: for aligned faces."""


class _Chance:
    """Random numbers of which each row is nothing (0) but with the probability in force."""

    def __init__(self, rows: int, probability: float, draws: Draws) -> None:
        self.rows, self.probability, self._draws = rows, probability, draws

    def halved(self) -> "_Chance":
        """Of two draws, at least one is something with the probability in force."""
        return _Chance(self.rows, 1 - math.sqrt(1 - min(max(self.probability, 0.0), 1.0)), self._draws)

    def uniform(self, columns: int) -> Tensor:
        """-1..1."""
        return self._something() * (2 * self._rand(columns) - 1)

    def normal(self, columns: int) -> Tensor:
        return self._something() * self._draws.randn(self.rows, columns, device=torch.device("cpu"))

    def whole(self, count: int) -> Tensor:
        """0 to count - 1: [rows]."""
        return (self._something() * (self._rand(1) * count).floor())[:, 0]

    def _something(self) -> Tensor:
        return (self._rand(1) < self.probability).float()

    def _rand(self, columns: int) -> Tensor:
        # On the CPU, where the matrices are: how far a batch reaches beyond its border must be known before it is
        # padded, and reading that back would stall a GPU.
        return self._draws.rand(self.rows, columns, device=torch.device("cpu"))


def _scaling(x_B: Tensor, y_B: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x_B, y_B, torch.ones_like(x_B)], dim=1))


def _rotation(angle_B: Tensor) -> Tensor:
    cos, sin, zero = angle_B.cos(), angle_B.sin(), torch.zeros_like(angle_B)
    rows = (cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1)
    # A quarter turn is one: no 1e-8 that would sample every pixel beside itself.
    return torch.stack(rows, dim=1).view(-1, 3, 3).mul(2**20).round().div(2**20)


def _translation(shift_B2: Tensor) -> Tensor:
    moved = torch.eye(3).repeat(len(shift_B2), 1, 1)
    moved[:, :2, 2] = shift_B2
    return moved


def _turn_hue(angle_B: Tensor) -> Tensor:
    """Rotations around the axis of greys (Rodrigues' formula): [B, 4, 4]."""
    x, y, z = LUMA_AXIS
    axis_31 = torch.tensor([[x], [y], [z]])
    across_33 = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = angle_B[:, None, None]
    turned = torch.eye(4).repeat(len(angle_B), 1, 1)
    turned[:, :3, :3] = torch.eye(3) * angle.cos() + across_33 * angle.sin() + axis_31 @ axis_31.T * (1 - angle.cos())
    return turned
