"""Scenes to learn from: faces on photographs, small and large, turned, squeezed, dark, covered in part; and patches of
other photographs cut out in the same shapes, so that an outline alone is no face."""
# B batch, K face of a scene, C channel, S side of a face's picture, H W scene

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from training.locator.dressing import dressed, relit, some
from training.locator.faces import LabelledFaces
from training.locator.heads import Turned, turned_heads

TURN_DEGREES = 14.0
"""Standard deviation; one face in eight is turned by anything up to MOST_DEGREES."""
MOST_DEGREES = 60.0
COVERED = 0.3
"""A face whose middle lies so far under a later one counts neither as a face nor as none."""
UPRIGHT_DEGREES = 9.0
"""Standard deviation in close-ups."""
OFF_MIDDLE = 0.12
"""Standard deviation in eye distances, of the middle of a close-up."""
TOO_NEAR = (1.6, 4.0)
"""Eyes so many times as far apart as the farthest known: parts of faces are no faces."""


@dataclass(frozen=True)
class Shot:
    """What a scene is to show. smallest_eyes, largest_eyes: in pixels, of a face that looks straight on."""

    side: int
    smallest_eyes: float
    largest_eyes: float
    faces: int = 2
    is_close_up: bool = False
    """One face in the middle, about upright, or none."""


@dataclass(frozen=True)
class Scenes:
    """pictures: [B, 3, H, W] in -1..1. landmarks: [B, K, 5, 2] in pixels. found: [B, K], 1 for a face that is to be
    found. ignored: [B, K], 1 for one of which nothing is asked."""

    pictures: Tensor
    landmarks: Tensor
    found: Tensor
    ignored: Tensor

    def __len__(self) -> int:
        return len(self.pictures)


def compose(faces: LabelledFaces, backgrounds_BCHW: Tensor, shot: Shot) -> Scenes:
    """Put up to `shot.faces` faces on each background [B, 3, side, side], by torch's global generator."""
    scene, count = backgrounds_BCHW, len(backgrounds_BCHW)
    landmarks, found = [], []
    covers: list[Tensor] = []
    for slot in range(shot.faces):
        rows = torch.randint(len(faces), (count,))
        pictures, points = _mirrored(faces.pictures[rows].float() / 127.5 - 1, faces.landmarks[rows])
        chance = torch.rand(count)
        is_face = chance < (0.75 if slot == 0 else 0.45)
        is_patch = (chance > 0.85) & ~is_face
        is_near = is_face & (torch.rand(count) < (0.15 if slot == 0 else 0.0))
        patch = F.interpolate(backgrounds_BCHW.roll(1 + slot, 0), size=pictures.shape[-2:])
        pictures = torch.where(is_patch.view(-1, 1, 1, 1), patch, dressed(relit(pictures), points))
        head = turned_heads(pictures, points)
        matrix_B22, centre_B2 = _placement(head, shot, is_near)
        layer, cover = _placed(_softened(head.pictures, matrix_B22), head.cover, matrix_B22, centre_B2, shot.side)
        cover = cover * (is_face | is_patch).view(-1, 1, 1, 1)
        scene = scene.lerp(layer, cover)
        middle = faces.side / 2
        landmarks.append(((head.landmarks - middle) @ matrix_B22.transpose(1, 2)) + centre_B2[:, None])
        found.append(is_face & ~is_near)
        covers.append(cover)
    landmarks_BK52, found_BK = torch.stack(landmarks, 1), torch.stack(found, 1).float()
    hidden_BK = _hidden(landmarks_BK52, covers)
    scene = _developed(_enlarged(scene) if shot.is_close_up else scene).clamp(-1, 1)
    return Scenes(scene, landmarks_BK52, found_BK * (1 - hidden_BK), found_BK * hidden_BK)


def _mirrored(pictures_BCSS: Tensor, points_B52: Tensor) -> tuple[Tensor, Tensor]:
    is_mirrored = torch.rand(len(pictures_BCSS)) < 0.5
    other = points_B52[:, [1, 0, 2, 4, 3]].clone()
    other[..., 0] = pictures_BCSS.shape[-1] - other[..., 0]
    pictures = torch.where(is_mirrored.view(-1, 1, 1, 1), pictures_BCSS.flip(3), pictures_BCSS)
    return pictures, torch.where(is_mirrored.view(-1, 1, 1), other, points_B52)


def _placement(head: Turned, shot: Shot, is_near: Tensor) -> tuple[Tensor, Tensor]:
    """A linear map from a face's picture to the scene, and where its middle comes to lie. is_near: those of which only
    a part is to be seen."""
    count = len(head.eyes)
    low, high = math.log(shot.smallest_eyes), math.log(shot.largest_eyes)
    # Every factor of size as often as any other.
    known = (low + torch.rand(count) * (high - low)).exp()
    near = (TOO_NEAR[0] + torch.rand(count) * (TOO_NEAR[1] - TOO_NEAR[0])) * shot.largest_eyes
    eyes_B = torch.where(is_near, near, known)
    degrees = torch.randn(count) * (UPRIGHT_DEGREES if shot.is_close_up else TURN_DEGREES)
    if not shot.is_close_up:
        degrees = torch.where(torch.rand(count) < 1 / 8, (torch.rand(count) * 2 - 1) * MOST_DEGREES, degrees)
    cos, sin = torch.deg2rad(degrees).cos(), torch.deg2rad(degrees).sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    stretch = torch.zeros(count, 2, 2)
    # Heads are long and round.
    stretch[:, 0, 0] = 1 - 0.15 * torch.rand(count)
    stretch[:, 1, 1] = 1 - 0.15 * torch.rand(count)
    stretch[:, 0, 1] = torch.randn(count) * 0.05
    matrix = turn @ stretch * (eyes_B / head.eyes).view(-1, 1, 1)
    if not shot.is_close_up:
        # Up to a little beyond the edge: half a face is still one.
        return matrix, torch.rand(count, 2) * (shot.side + eyes_B[:, None] * 0.6) - eyes_B[:, None] * 0.3
    beside = head.landmarks.mean(1) - head.pictures.shape[-1] / 2
    middle = shot.side / 2 + torch.randn(count, 2) * (OFF_MIDDLE * eyes_B[:, None])
    return matrix, middle - (matrix @ beside[..., None]).squeeze(-1)


def _softened(pictures: Tensor, matrix_B22: Tensor) -> Tensor:
    """As much detail as survives the shrinking: without it, sampling would alias."""
    shrinking = torch.linalg.det(matrix_B22).abs().clamp(min=1e-6).rsqrt().view(-1, 1, 1, 1)
    size = pictures.shape[-2:]
    halved = F.interpolate(F.avg_pool2d(pictures, 2), size=size, mode="bilinear")
    quartered = F.interpolate(F.avg_pool2d(pictures, 4), size=size, mode="bilinear")
    return torch.where(shrinking > 3, quartered, torch.where(shrinking > 1.5, halved, pictures))


def _enlarged(scene: Tensor) -> Tensor:
    """Some as they look that were small."""
    count, size = len(scene), scene.shape[-2:]
    for factor, share in ((2, 0.35), (3, 0.15)):
        small = F.interpolate(scene, scale_factor=1 / factor, mode="area")
        scene = scene.lerp(F.interpolate(small, size=size, mode="bicubic"), some(count, share))
    return scene


def _placed(pictures: Tensor, cover: Tensor, matrix_B22: Tensor, centre_B2: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Where they belong in the scene, [B, 3, side, side], and how far they cover it, [B, 1, side, side]."""
    own = pictures.shape[-1]
    inverse = torch.linalg.inv(matrix_B22)
    middle = torch.full((len(pictures), 2, 1), side / 2)
    # In units of half a side, on both ends.
    theta_B23 = torch.cat([inverse * (side / own), inverse @ (middle - centre_B2[..., None]) / (own / 2)], 2)
    grid = F.affine_grid(theta_B23, [len(pictures), 4, side, side], align_corners=False)
    # A turned head has an outline of its own.
    is_whole = cover.amin(dim=(1, 2, 3), keepdim=True) > 0.5
    outline = torch.where(is_whole, _outline(pictures), cover)
    # Multiplied by its cover before it is sampled, so that no colour of the outside comes in at the edge.
    layers = F.grid_sample(torch.cat([pictures * outline, outline], 1), grid, align_corners=False)
    cover = layers[:, 3:]
    return layers[:, :3] / cover.clamp(min=1e-3), cover


def _outline(pictures: Tensor) -> Tensor:
    """[B, 1, S, S]: 1 inside of anything between an ellipse and a square, sharp or soft, and 0 outside."""
    count, own = len(pictures), pictures.shape[-1]
    place = (torch.arange(own) + 0.5) / (own / 2) - 1
    radii = torch.stack([0.6 + 0.4 * torch.rand(count), 0.75 + 0.25 * torch.rand(count)], 1)
    power = 2 + 10 * torch.rand(count, 1).square()
    across, down = ((place.abs() / radii[:, i : i + 1]).pow(power) for i in (0, 1))
    distance = (across[:, None, :] + down[:, :, None]).pow(1 / power[..., None])
    softness = 0.02 + 0.25 * torch.rand(count, 1, 1)
    return ((1 - distance) / softness).clamp(0, 1)[:, None]


def _hidden(landmarks_BK52: Tensor, covers: list[Tensor]) -> Tensor:
    """[B, K]: 1 where a later face covers the middle of an earlier one."""
    count, slots = landmarks_BK52.shape[:2]
    side = covers[0].shape[-1]
    middle = landmarks_BK52.mean(dim=2).floor().long().clamp(0, side - 1)
    hidden = torch.zeros(count, slots)
    batch = torch.arange(count)
    for earlier in range(slots):
        for later in range(earlier + 1, slots):
            cover = covers[later][batch, 0, middle[:, earlier, 1], middle[:, earlier, 0]]
            hidden[:, earlier] = torch.maximum(hidden[:, earlier], (cover > COVERED).float())
    return hidden


def _developed(scene: Tensor) -> Tensor:
    """What cameras do: exposure, contrast, white balance, grey, a soft lens, grain."""
    count = len(scene)
    scene = scene * (1 + torch.randn(count, 1, 1, 1) * 0.2) + torch.randn(count, 1, 1, 1) * 0.15
    scene = scene + torch.randn(count, 3, 1, 1) * 0.05
    grey = scene.mean(dim=1, keepdim=True).expand_as(scene)
    scene = scene.lerp(grey, torch.rand(count, 1, 1, 1) * some(count, 0.5))
    scene = scene.lerp(grey, some(count, 0.1))
    soft = F.avg_pool2d(F.pad(scene, (1, 1, 1, 1), mode="replicate"), 3, 1)
    scene = scene.lerp(soft, torch.rand(count, 1, 1, 1) * some(count, 0.4))
    return scene + torch.randn_like(scene) * torch.rand(count, 1, 1, 1) * 0.08 * some(count, 0.5)
