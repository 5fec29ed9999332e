"""What the locator minimises: a focal loss over the squares' scores, and how far its landmarks are off."""
# B batch, K face of a scene, h w map

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.landmarks import SIDE
from models.networks.locator import REACH, STRIDE
from training.locator.scenes import Scenes

SPREAD = 0.8
"""Standard deviation of a face's bump, in squares."""
NEAR = 1.3
"""Squares around a face's middle that must know its landmarks."""


def locator_losses(found_BFhw: Tensor, scenes: Scenes) -> tuple[Tensor, Tensor]:
    """Of the scores, by face (Zhou et al. 2019, Eq. 1), and of the landmarks, as a share of the face's size."""
    h, w = found_BFhw.shape[2:]
    away_BKhw = _distances(scenes, h, w)
    wanted_BK = scenes.found[:, :, None, None]
    bump_BKhw = torch.exp(-away_BKhw.square() / (2 * SPREAD**2)) * wanted_BK
    closest_BKhw = away_BKhw <= away_BKhw.flatten(2).amin(2)[:, :, None, None]
    # A face whose middle lies outside has no square.
    is_middle_Bhw = ((closest_BKhw & (away_BKhw < 1)).float() * wanted_BK).amax(1)
    counted_Bhw = 1 - ((away_BKhw < 3).float() * scenes.ignored[:, :, None, None]).amax(1)
    scores = _focal(found_BFhw[:, 0].float(), bump_BKhw.amax(1), is_middle_Bhw, counted_Bhw)
    weight_BKhw = bump_BKhw * (away_BKhw < NEAR)
    return scores, _landmark_loss(found_BFhw[:, 1:].float(), scenes, weight_BKhw)


def close_up_losses(found_BF: Tensor, scenes: Scenes) -> tuple[Tensor, Tensor]:
    """Of the scores of close-ups, and of the landmarks, as a share of the face's size."""
    is_face_B = scenes.found[:, 0]
    scores = F.binary_cross_entropy_with_logits(found_BF[:, 0], is_face_B)
    landmarks_B52 = scenes.landmarks[:, 0]
    points_B52 = (found_BF[:, 1:].view(-1, 5, 2) + 1) * (SIDE / 2)
    off_B = (points_B52 - landmarks_B52).abs().mean(dim=(1, 2)) / _sizes(landmarks_B52)
    loss: Tensor = (off_B * is_face_B).sum() / is_face_B.sum().clamp(min=1)
    return scores, loss


def _sizes(landmarks: Tensor) -> Tensor:
    """[...]: the eye distance, or 0.9 of that from eyes to mouth where the head is turned, in pixels."""
    across = (landmarks[..., 1, :] - landmarks[..., 0, :]).norm(dim=-1)
    down = (landmarks[..., 3:, :].mean(-2) - landmarks[..., :2, :].mean(-2)).norm(dim=-1)
    return torch.maximum(across, 0.9 * down).clamp(min=1)


def _distances(scenes: Scenes, h: int, w: int) -> Tensor:
    """[B, K, h, w]: how many squares each square's middle is from the face's."""
    middle_BK2 = scenes.landmarks.mean(dim=2) / STRIDE
    across = torch.arange(w) + 0.5 - middle_BK2[..., 0, None]
    down = torch.arange(h) + 0.5 - middle_BK2[..., 1, None]
    return (across[:, :, None, :].square() + down[:, :, :, None].square()).sqrt()


def _focal(logits_Bhw: Tensor, bump_Bhw: Tensor, is_middle_Bhw: Tensor, counted_Bhw: Tensor) -> Tensor:
    chance = torch.sigmoid(logits_Bhw)
    middles = is_middle_Bhw * (1 - chance).square() * F.logsigmoid(logits_Bhw)
    others = (1 - is_middle_Bhw) * counted_Bhw * (1 - bump_Bhw).pow(4) * chance.square() * F.logsigmoid(-logits_Bhw)
    return -(middles + others).sum() / is_middle_Bhw.sum().clamp(min=1)


def _landmark_loss(offsets_BFhw: Tensor, scenes: Scenes, weight_BKhw: Tensor) -> Tensor:
    batch, _, h, w = offsets_BFhw.shape
    squares = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(h), indexing="xy"), -1) + 0.5
    points_B1hw52 = offsets_BFhw.view(batch, 1, 5, 2, h, w).permute(0, 1, 4, 5, 2, 3) * REACH
    points_B1hw52 = points_B1hw52 + squares[None, None, :, :, None, :] * STRIDE
    landmarks = scenes.landmarks
    sizes_BK = _sizes(landmarks)
    off = (points_B1hw52 - landmarks[:, :, None, None]).abs().mean(dim=(4, 5)) / sizes_BK[:, :, None, None]
    loss: Tensor = (off * weight_BKhw).sum() / weight_BKhw.sum().clamp(min=1e-6)
    return loss
