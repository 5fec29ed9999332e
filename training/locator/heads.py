"""Frontal portraits as heads that look elsewhere: the face laid on a head of three dimensions, which turns.

Official portraits look at the camera, and people in photographs do not. The head is a rounded box with a nose; what it
would show of its back is not in the portrait, whose edge is stretched over it instead (as Zhu et al. 2016 do with
fitted heads). Beside the head nothing is left: the scene shows there, and with it the outline of a profile.
"""
# B batch, C channel, S side of a face's picture, G side of the grid that is traced, T steps into the picture

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

YAW_DEGREES = 90.0
"""Largest turn to the side."""
PITCH_MEAN, PITCH_SPREAD, PITCH_DEGREES = 6.0, 15.0, 45.0
"""Of nods, down being above 0: people look at what they do."""
TURNED = 0.65
"""Share of the heads that turn at all."""
HALF_WIDTH, HALF_HEIGHT, HALF_DEPTH = 1.3, 1.9, 1.5
"""Of a head, in eye distances."""
NOSE = 0.35
"""By how much its tip stands out."""
BODY = 1.5
"""How far below the eyes what does not turn begins."""
NEAREST, FARTHEST, STEPS = 2.2, -1.4, 18
"""Depths between which a ray is followed."""
COARSER = 3
"""Pixels of a picture to a ray."""
EDGE = 0.96
"""Share of the head's outline beyond which the portrait is not believed."""


@dataclass(frozen=True)
class Turned:
    """pictures: [B, 3, S, S]. landmarks: [B, 5, 2]. cover: [B, 1, S, S], 1 where there is somebody. eyes: [B], their
    distance before the turn, in pixels."""

    pictures: Tensor
    landmarks: Tensor
    cover: Tensor
    eyes: Tensor


@dataclass(frozen=True)
class _Heads:
    """What was drawn for each head, [B, 1, 1] each but the last: its half width and height, the sines and cosines of
    its turns."""

    width: Tensor
    height: Tensor
    yaw: Tensor
    pitch: Tensor


def turned_heads(pictures_BCSS: Tensor, points_B52: Tensor) -> Turned:
    """The heads, each turned by angles of its own, or as they are. points: landmarks of upright faces in pixels of the
    pictures."""
    count, side = len(pictures_BCSS), pictures_BCSS.shape[-1]
    rows = (torch.rand(count) < TURNED).nonzero()[:, 0]
    eyes_B = (points_B52[:, 1] - points_B52[:, 0]).norm(dim=1)
    whole = Turned(pictures_BCSS.clone(), points_B52.clone(), torch.ones(count, 1, side, side), eyes_B)
    if len(rows):
        pictures, landmarks, cover = _turned(pictures_BCSS[rows], points_B52[rows], eyes_B[rows])
        whole.pictures[rows], whole.landmarks[rows], whole.cover[rows] = pictures, landmarks, cover
    return whole


def _turned(pictures_BCSS: Tensor, points_B52: Tensor, eyes_B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    side = pictures_BCSS.shape[-1]
    origin_B2 = points_B52[:, :2].mean(1)
    heads = _drawn(len(pictures_BCSS))
    grid = max(side // COARSER, 2)
    place = (torch.arange(grid) + 0.5) * (side / grid)
    across_BG, down_BG = ((place - origin_B2[:, axis, None]) / eyes_B[:, None] for axis in (0, 1))
    across = across_BG[:, None, :].expand(-1, grid, -1)
    down = down_BG[:, :, None].expand(-1, -1, grid)
    source_u, source_v, hit = _traced(heads, across, down)
    is_body = (hit < 0.5) & (down > BODY)
    source_u, source_v = torch.where(is_body, across, source_u), torch.where(is_body, down, source_v)
    cover = torch.maximum(hit, is_body.float())
    maps = F.interpolate(torch.stack([source_u, source_v, cover], 1), size=(side, side), mode="bilinear")
    places = maps[:, :2] * eyes_B.view(-1, 1, 1, 1) + origin_B2[..., None, None]
    turned = F.grid_sample(
        pictures_BCSS, places.permute(0, 2, 3, 1) / (side / 2) - 1, padding_mode="border", align_corners=False
    )
    landmarks = _landmarks(heads, (points_B52 - origin_B2[:, None]) / eyes_B.view(-1, 1, 1))
    return turned, landmarks * eyes_B.view(-1, 1, 1) + origin_B2[:, None], maps[:, 2:]


def _drawn(count: int) -> _Heads:
    of_width, of_height = (0.9 + 0.25 * torch.rand(count, 1, 1) for _ in range(2))
    yaw = (torch.rand(count, 1, 1) * 2 - 1) * YAW_DEGREES
    pitch = (PITCH_MEAN + PITCH_SPREAD * torch.randn(count, 1, 1)).clamp(-PITCH_DEGREES, PITCH_DEGREES)
    return _Heads(HALF_WIDTH * of_width, HALF_HEIGHT * of_height, torch.deg2rad(yaw), torch.deg2rad(pitch))


def _fronts(heads: _Heads, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Depth of the face's surface, and of the head without its nose (nothing outside of its outline), at u eye
    distances to the right of the eyes' middle and v below."""
    rest = (1 - (u / heads.width).square() - (v / heads.height).square().square()).clamp(min=0)
    round_head = HALF_DEPTH * rest.sqrt()
    rise = ((v + 0.1) / 0.7).clamp(0, 1) * ((0.82 - v) / 0.18).clamp(0, 1)
    return round_head + NOSE * rise * torch.exp(-(u / 0.2).square()), round_head


def _traced(heads: _Heads, across_BGG: Tensor, down_BGG: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the rays of an orthographic camera first meet the head: u and v in the portrait, and whether they do."""
    depths = torch.linspace(NEAREST, FARTHEST, STEPS)
    cos_pitch, sin_pitch = heads.pitch.cos()[..., None], heads.pitch.sin()[..., None]
    cos_yaw, sin_yaw = heads.yaw.cos()[..., None], heads.yaw.sin()[..., None]
    forth_T = down_BGG[..., None] * sin_pitch + depths * cos_pitch
    v_T = down_BGG[..., None] * cos_pitch - depths * sin_pitch
    u_T = across_BGG[..., None] * cos_yaw - forth_T * sin_yaw
    w_T = across_BGG[..., None] * sin_yaw + forth_T * cos_yaw
    wide = _Heads(heads.width[..., None], heads.height[..., None], heads.yaw, heads.pitch)
    front_T, head_T = _fronts(wide, u_T, v_T)
    room_T = front_T - w_T
    inside_T = (room_T >= 0) & (w_T >= -head_T) & (head_T > 0)
    first = inside_T.float().argmax(-1, keepdim=True)
    before = (first - 1).clamp(min=0)
    late, early = room_T.gather(-1, first), room_T.gather(-1, before)
    # Between the two steps the surface is where the room is nought.
    share = (late / (late - early).clamp(min=1e-4)).clamp(0, 1) * (early < 0)
    u, v, w = (x.gather(-1, first).lerp(x.gather(-1, before), share).squeeze(-1) for x in (u_T, v_T, w_T))
    far = torch.sqrt((u / heads.width).square() + (v / heads.height).square().square()).clamp(min=1e-3)
    # The back of the head wears the portrait's edge, not the face again.
    stretch = torch.where(w < 0.1, EDGE / far, (EDGE / far).clamp(max=1.0)).clamp(max=8.0)
    return u * stretch, v * stretch.sqrt(), inside_T.any(-1).float()


def _landmarks(heads: _Heads, points_B52: Tensor) -> Tensor:
    flat = _Heads(heads.width[..., 0], heads.height[..., 0], heads.yaw[..., 0], heads.pitch[..., 0])
    u, v = points_B52[..., 0], points_B52[..., 1]
    w, _ = _fronts(flat, u, v)
    across = u * flat.yaw.cos() + w * flat.yaw.sin()
    forth = w * flat.yaw.cos() - u * flat.yaw.sin()
    return torch.stack([across, v * flat.pitch.cos() + forth * flat.pitch.sin()], -1)
