"""Frontal portraits as heads that look elsewhere: the face laid on a cylinder, which turns.

Official portraits look at the camera, and people in photographs do not. What a turned head would show of its other side
is not in the portrait: its edge is stretched, as far as the turn needs it.
"""
# B batch, C channel, S side of a face's picture

import torch
import torch.nn.functional as F
from torch import Tensor

YAW_DEGREES, PITCH_DEGREES = 68.0, 35.0
"""Largest turns to the side, and up or down."""
HALF_WIDTH, HALF_HEIGHT = 1.25, 1.75
"""Of a head, in eye distances: the radii of its cylinders."""
TURNED = 0.65
"""Share of the heads that turn at all."""
MOST_SINE = 0.985
"""How far around the cylinder the portrait is believed: 80 degrees."""


def turned_heads(pictures_BCSS: Tensor, points_B52: Tensor) -> tuple[Tensor, Tensor]:
    """The heads, each turned by angles of its own, and their landmarks."""
    count, side = len(pictures_BCSS), pictures_BCSS.shape[-1]
    unit_B = (points_B52[:, 1] - points_B52[:, 0]).norm(dim=1)
    middle_B2 = points_B52.mean(dim=1)
    is_turned = (torch.rand(count) < TURNED).float()
    angles = (torch.deg2rad((torch.rand(count) * 2 - 1) * most) for most in (YAW_DEGREES, PITCH_DEGREES))
    yaw, pitch = (is_turned * angle for angle in angles)
    place = torch.arange(side) + 0.5
    sources, moved = [], []
    for axis, angle, radius in ((0, yaw, HALF_WIDTH * unit_B), (1, pitch, HALF_HEIGHT * unit_B)):
        from_middle_BS = (place - middle_B2[:, axis, None]) / radius[:, None]
        sources.append(_around(from_middle_BS, -angle) * radius[:, None] + middle_B2[:, axis, None])
        of_points_B5 = (points_B52[..., axis] - middle_B2[:, axis, None]) / radius[:, None]
        moved.append(_around(of_points_B5, angle) * radius[:, None] + middle_B2[:, axis, None])
    across = sources[0][:, None, :].expand(-1, side, -1)
    down = sources[1][:, :, None].expand(-1, -1, side)
    grid = torch.stack([across, down], -1) / (side / 2) - 1
    turned = F.grid_sample(pictures_BCSS, grid, padding_mode="border", align_corners=False)
    return turned, torch.stack(moved, -1)


def _around(sines: Tensor, angle_B: Tensor) -> Tensor:
    """Places on the front of a cylinder, as sines, after a turn; what lies beside the head stays."""
    on_head = torch.asin(sines.clamp(-MOST_SINE, MOST_SINE))
    after = torch.sin((on_head + angle_B[:, None]).clamp(-torch.pi / 2, torch.pi / 2))
    # Between the head's edge and half a head further the surroundings give way.
    share = ((1.5 - sines.abs()) / 0.5).clamp(0, 1)
    return sines + (after - sines) * share
