"""Scenes that were composed, to be seen several times: composing one costs more than learning from it."""
# B batch, C channel, H W scene

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from training.locator.scenes import Scenes

FLIPPED = [1, 0, 2, 4, 3]
"""The order of the landmarks in a mirror."""
PARTS = ("pictures", "landmarks", "found", "ignored")
DEGREES, GROWTH, SHIFT = 6.0, 0.08, 0.03
"""Standard deviations by which a scene is turned, grown, and moved in shares of its side, each time that it is seen."""
LIGHT, CONTRAST = 0.08, 0.12


class ScenePool:
    """The newest `most` scenes. It belongs to a run's state, as what is drawn follows torch's global generator."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self._parts["found"]) if self._parts else 0

    def add(self, scenes: Scenes) -> None:
        """Pictures are kept as bytes."""
        new = {name: getattr(scenes, name) for name in PARTS}
        new["pictures"] = (new["pictures"] * 127.5 + 127.5).round().to(torch.uint8)
        if self._parts:
            new = {name: torch.cat([self._parts[name], part]) for name, part in new.items()}
        self._parts = {name: part[-self._most :] for name, part in new.items()}

    def drawn(self, count: int) -> Scenes:
        """[B, ...] of any of them, each mirrored half of the time, a little moved and in another light."""
        rows = torch.randint(len(self), (count,))
        pictures, landmarks, found, ignored = (self._parts[name][rows] for name in PARTS)
        pictures, landmarks = _moved(*_mirrored(pictures.float() / 127.5 - 1, landmarks))
        pictures = pictures * (1 + CONTRAST * torch.randn(count, 1, 1, 1)) + LIGHT * torch.randn(count, 1, 1, 1)
        return Scenes(pictures.clamp(-1, 1), landmarks, found, ignored)

    def state_dict(self) -> dict[str, Tensor]:
        return {name: part.clone() for name, part in self._parts.items()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        self._parts = dict(content)


def _mirrored(pictures_BCHW: Tensor, landmarks_BK52: Tensor) -> tuple[Tensor, Tensor]:
    is_mirrored = torch.rand(len(pictures_BCHW)) < 0.5
    other = landmarks_BK52[:, :, FLIPPED].clone()
    other[..., 0] = pictures_BCHW.shape[-1] - other[..., 0]
    chosen = is_mirrored.view(-1, 1, 1, 1)
    return torch.where(chosen, pictures_BCHW.flip(3), pictures_BCHW), torch.where(chosen, other, landmarks_BK52)


def _moved(pictures_BCSS: Tensor, landmarks_BK52: Tensor) -> tuple[Tensor, Tensor]:
    """Turned and grown around the middle, and moved; the edge is a reflection."""
    count, side = len(pictures_BCSS), pictures_BCSS.shape[-1]
    angle = torch.deg2rad(torch.randn(count) * DEGREES)
    growth = (torch.randn(count) * GROWTH).exp()
    cos, sin = growth * angle.cos(), growth * angle.sin()
    matrix_B22 = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    shift_B2 = torch.randn(count, 2) * SHIFT * 2
    inverse = torch.linalg.inv(matrix_B22)
    theta = torch.cat([inverse, -(inverse @ shift_B2[..., None])], 2)
    grid = F.affine_grid(theta, [count, 3, side, side], align_corners=False)
    moved = F.grid_sample(pictures_BCSS, grid, padding_mode="reflection", align_corners=False)
    half = side / 2
    placed = (landmarks_BK52 / half - 1) @ matrix_B22.transpose(1, 2)[:, None] + shift_B2[:, None, None]
    return moved, (placed + 1) * half
