"""What befalls a face before it is laid into a scene: light, hats, scarves, masks, glasses, things in front of it."""
# B batch, C channel, S side of a face's picture

import torch
from torch import Tensor


def relit(pictures: Tensor) -> Tensor:
    """Darker and lighter skins and lights, casts of colour, a light from one side."""
    count, side = len(pictures), pictures.shape[-1]
    gamma = (torch.randn(count, 1, 1, 1) * 0.45 + 0.1).exp()
    levels = ((pictures + 1) / 2).clamp(1e-3, 1).pow(gamma)
    levels = levels * (1 + torch.randn(count, 3, 1, 1) * 0.08)
    ramp = torch.linspace(-1, 1, side).view(1, 1, 1, side) * torch.randn(count, 1, 1, 1) * 0.3
    return (levels * (1 + ramp).clamp(0.2, 2)).clamp(0, 1) * 2 - 1


def dressed(pictures: Tensor, points_B52: Tensor) -> Tensor:
    """One face in seven wears a hat, one in sixteen a scarf, one in twelve a mask, one in ten dark glasses; one in five
    has something before it. points: landmarks of upright faces in pixels of the pictures."""
    count, side = len(pictures), pictures.shape[-1]
    eyes_B11 = (points_B52[:, 1] - points_B52[:, 0]).norm(dim=1).view(-1, 1, 1)
    origin = points_B52[:, :2].mean(1)
    place = torch.arange(side).float() + 0.5
    # In eye distances from the middle of the eyes.
    u = (place.view(1, 1, -1) - origin[:, 0].view(-1, 1, 1)) / eyes_B11
    v = (place.view(1, -1, 1) - origin[:, 1].view(-1, 1, 1)) / eyes_B11
    brim = -0.4 - 0.4 * torch.rand(count, 1, 1)
    pictures = _painted(pictures, (v < brim + 0.15 * u.square()).float(), 1 / 7)
    around = 1 - _ellipse(u, v - 0.5, 0.8 + 0.3 * torch.rand(count, 1, 1), 1.25 + 0.2 * torch.rand(count, 1, 1))
    pictures = _painted(pictures, around, 1 / 16)
    top = 0.25 + 0.3 * torch.rand(count, 1, 1)
    mask = _ellipse(u, v - 0.75, 0.95, 1.05) * (v > top + 0.2 * u.abs())
    pictures = _painted(pictures, mask, 1 / 12)
    glasses = torch.maximum(_ellipse(u - 0.5, v, 0.42, 0.3), _ellipse(u + 0.5, v, 0.42, 0.3))
    pictures = _painted(pictures, glasses, 0.1, darkest=True)
    return _painted(pictures, _something(count, side), 0.2)


def some(count: int, share: float) -> Tensor:
    """[B, 1, 1, 1]: 1 for that share of the samples, else 0."""
    return (torch.rand(count, 1, 1, 1) < share).float()


def _something(count: int, side: int) -> Tensor:
    place = torch.arange(side).float() + 0.5
    start = torch.rand(count, 2) * side
    end = start + (0.1 + 0.3 * torch.rand(count, 2)) * side
    across, down = (((place >= start[:, i : i + 1]) & (place < end[:, i : i + 1])).float() for i in (0, 1))
    return down[:, :, None] * across[:, None, :]


def _painted(pictures: Tensor, where_BSS: Tensor, share: float, *, darkest: bool = False) -> Tensor:
    """For that share of the pictures a colour there, that grows darker or lighter downwards."""
    count, side = len(pictures), pictures.shape[-1]
    colour = torch.rand(count, 3, 1, 1) * 2 - 1
    colour = colour.mean(1, keepdim=True) / 4 - 0.75 if darkest else colour
    shade = torch.linspace(-1, 1, side).view(1, 1, side, 1) * torch.randn(count, 1, 1, 1) * 0.2
    return pictures.lerp((colour + shade).expand_as(pictures), where_BSS[:, None] * some(count, share))


def _ellipse(u: Tensor, v: Tensor, wide: Tensor | float, high: Tensor | float) -> Tensor:
    return ((u / wide).square() + (v / high).square() < 1).float()
