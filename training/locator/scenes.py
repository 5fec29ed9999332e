"""Scenes to learn from: faces on photographs, small and large, turned, squeezed, dark, covered in part; and patches of
other photographs cut out in the same shapes, so that an outline alone is no face."""
# B batch, K face of a scene, C channel, S side of a face's picture, H W scene

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from training.locator.config import LocatorConfig
from training.locator.faces import LabelledFaces
from training.locator.heads import turned_heads

TURN_DEGREES = 14.0
"""Standard deviation; one face in eight is turned by anything up to MOST_DEGREES."""
MOST_DEGREES = 60.0
COVERED = 0.3
"""A face whose middle lies so far under a later one counts neither as a face nor as none."""
TOO_NEAR = (28.0, 80.0)
"""Distance of the eyes of faces that are too large to be found in this scene: parts of faces are no faces."""


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


def compose(faces: LabelledFaces, backgrounds_BCHW: Tensor, config: LocatorConfig) -> Scenes:
    """Put up to `faces_per_scene` faces on each background [B, 3, side, side], by torch's global generator."""
    scene, count = backgrounds_BCHW, len(backgrounds_BCHW)
    landmarks, found = [], []
    covers: list[Tensor] = []
    for slot in range(config.faces_per_scene):
        rows = torch.randint(len(faces), (count,))
        pictures, points = _mirrored(faces.pictures[rows].float() / 127.5 - 1, faces.landmarks[rows])
        pictures, points = turned_heads(pictures, points)
        chance = torch.rand(count)
        is_face = chance < (0.75 if slot == 0 else 0.45)
        is_patch = (chance > 0.85) & ~is_face
        is_near = is_face & (torch.rand(count) < 0.15) if slot == 0 else torch.zeros(count, dtype=torch.bool)
        eyes = _distances(count, config, is_near)
        matrix_B22, centre_B2 = _placement(points, eyes, config.side)
        patch = F.interpolate(backgrounds_BCHW.roll(1 + slot, 0), size=pictures.shape[-2:])
        pictures = torch.where(is_patch.view(-1, 1, 1, 1), patch, _covered(_relit(pictures), points))
        layer, cover = _placed(_softened(pictures, eyes, points), matrix_B22, centre_B2, config.side)
        cover = cover * (is_face | is_patch).view(-1, 1, 1, 1)
        scene = scene.lerp(layer, cover)
        middle = faces.side / 2
        landmarks.append(((points - middle) @ matrix_B22.transpose(1, 2)) + centre_B2[:, None])
        found.append(is_face & ~is_near)
        covers.append(cover)
    landmarks_BK52, found_BK = torch.stack(landmarks, 1), torch.stack(found, 1).float()
    hidden_BK = _hidden(landmarks_BK52, covers)
    return Scenes(_developed(scene).clamp(-1, 1), landmarks_BK52, found_BK * (1 - hidden_BK), found_BK * hidden_BK)


def _mirrored(pictures_BCSS: Tensor, points_B52: Tensor) -> tuple[Tensor, Tensor]:
    is_mirrored = torch.rand(len(pictures_BCSS)) < 0.5
    other = points_B52[:, [1, 0, 2, 4, 3]].clone()
    other[..., 0] = pictures_BCSS.shape[-1] - other[..., 0]
    pictures = torch.where(is_mirrored.view(-1, 1, 1, 1), pictures_BCSS.flip(3), pictures_BCSS)
    return pictures, torch.where(is_mirrored.view(-1, 1, 1), other, points_B52)


def _distances(count: int, config: LocatorConfig, is_near: Tensor) -> Tensor:
    """Of the eyes, in pixels of the scene: every factor of size as often as any other."""
    low, high = math.log(config.smallest_eyes), math.log(config.largest_eyes)
    known = (low + torch.rand(count) * (high - low)).exp()
    near = TOO_NEAR[0] + torch.rand(count) * (TOO_NEAR[1] - TOO_NEAR[0])
    return torch.where(is_near, near, known)


def _placement(points_B52: Tensor, eyes_B: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """A linear map from a face's picture to the scene, and where its middle comes to lie."""
    count = len(eyes_B)
    own = (points_B52[:, 1] - points_B52[:, 0]).norm(dim=1)
    degrees = torch.randn(count) * TURN_DEGREES
    degrees = torch.where(torch.rand(count) < 1 / 8, (torch.rand(count) * 2 - 1) * MOST_DEGREES, degrees)
    cos, sin = torch.deg2rad(degrees).cos(), torch.deg2rad(degrees).sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    stretch = torch.zeros(count, 2, 2)
    # A head that turns or nods grows narrower or shorter.
    stretch[:, 0, 0] = 1 - 0.3 * torch.rand(count).square()
    stretch[:, 1, 1] = 1 - 0.2 * torch.rand(count).square()
    stretch[:, 0, 1] = torch.randn(count) * 0.06
    matrix = turn @ stretch * (eyes_B / own).view(-1, 1, 1)
    # Up to a little beyond the edge: half a face is still one.
    centre = torch.rand(count, 2) * (side + eyes_B[:, None] * 0.6) - eyes_B[:, None] * 0.3
    return matrix, centre


def _relit(pictures: Tensor) -> Tensor:
    """Darker and lighter skins and lights, casts of colour, a light from one side."""
    count, side = len(pictures), pictures.shape[-1]
    gamma = (torch.randn(count, 1, 1, 1) * 0.45).exp()
    levels = ((pictures + 1) / 2).clamp(1e-3, 1).pow(gamma)
    levels = levels * (1 + torch.randn(count, 3, 1, 1) * 0.08)
    ramp = torch.linspace(-1, 1, side).view(1, 1, 1, side) * torch.randn(count, 1, 1, 1) * 0.3
    return (levels * (1 + ramp).clamp(0.2, 2)).clamp(0, 1) * 2 - 1


def _covered(pictures: Tensor, points_B52: Tensor) -> Tensor:
    """One face in five has something before it, one in ten dark glasses, one in twelve a mask."""
    count, side = len(pictures), pictures.shape[-1]
    place = torch.arange(side).float() + 0.5
    start = torch.rand(count, 2) * side
    extent = (0.1 + 0.3 * torch.rand(count, 2)) * side
    inside = [((place >= start[:, i : i + 1]) & (place < (start + extent)[:, i : i + 1])).float() for i in (0, 1)]
    thing = inside[1].view(-1, 1, side, 1) * inside[0].view(-1, 1, 1, side) * _some(count, 0.2)
    pictures = pictures.lerp((torch.rand(count, 3, 1, 1) * 2 - 1).expand_as(pictures), thing)
    # From the ridge of the nose down, as wide as the face.
    below = (place.view(1, -1, 1) > points_B52[:, :3, 1].mean(1).view(-1, 1, 1)).float()
    middle, half = points_B52[:, :, 0].mean(1), 1.1 * (points_B52[:, 1, 0] - points_B52[:, 0, 0]).abs()
    beside = ((place.view(1, 1, -1) - middle.view(-1, 1, 1)).abs() < half.view(-1, 1, 1)).float()
    mask = (below * beside)[:, None] * _some(count, 1 / 12)
    pictures = pictures.lerp((torch.rand(count, 3, 1, 1) * 2 - 1).expand_as(pictures), mask)
    eyes = points_B52[:, :2]
    reach = (eyes[:, 1] - eyes[:, 0]).norm(dim=1).view(-1, 1, 1)
    wears, glass_colour = _some(count, 0.1), torch.rand(count, 1, 1, 1) * 0.5 - 1
    for eye in (eyes[:, 0], eyes[:, 1]):
        across = ((place.view(1, 1, -1) - eye[:, 0].view(-1, 1, 1)) / (0.42 * reach)).square()
        down = ((place.view(1, -1, 1) - eye[:, 1].view(-1, 1, 1)) / (0.3 * reach)).square()
        glass = ((across + down) < 1).float()[:, None] * wears
        pictures = pictures.lerp(glass_colour.expand_as(pictures), glass)
    return pictures


def _softened(pictures: Tensor, eyes_B: Tensor, points_B52: Tensor) -> Tensor:
    """As much detail as survives the shrinking: without it, sampling would alias."""
    own = (points_B52[:, 1] - points_B52[:, 0]).norm(dim=1)
    shrinking = (own / eyes_B).view(-1, 1, 1, 1)
    size = pictures.shape[-2:]
    halved = F.interpolate(F.avg_pool2d(pictures, 2), size=size, mode="bilinear")
    quartered = F.interpolate(F.avg_pool2d(pictures, 4), size=size, mode="bilinear")
    return torch.where(shrinking > 3, quartered, torch.where(shrinking > 1.5, halved, pictures))


def _placed(pictures: Tensor, matrix_B22: Tensor, centre_B2: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Where they belong in the scene, [B, 3, side, side], and how far they cover it, [B, 1, side, side]."""
    own = pictures.shape[-1]
    inverse = torch.linalg.inv(matrix_B22)
    middle = torch.full((len(pictures), 2, 1), side / 2)
    # In units of half a side, on both ends.
    theta_B23 = torch.cat([inverse * (side / own), inverse @ (middle - centre_B2[..., None]) / (own / 2)], 2)
    grid = F.affine_grid(theta_B23, [len(pictures), 4, side, side], align_corners=False)
    outline = _outline(pictures)
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
    scene = scene.lerp(grey, torch.rand(count, 1, 1, 1) * _some(count, 0.5))
    scene = scene.lerp(grey, _some(count, 0.1))
    soft = F.avg_pool2d(F.pad(scene, (1, 1, 1, 1), mode="replicate"), 3, 1)
    scene = scene.lerp(soft, torch.rand(count, 1, 1, 1) * _some(count, 0.4))
    return scene + torch.randn_like(scene) * torch.rand(count, 1, 1, 1) * 0.08 * _some(count, 0.5)


def _some(count: int, share: float) -> Tensor:
    """[B, 1, 1, 1]: 1 for that share of the samples, else 0."""
    return (torch.rand(count, 1, 1, 1) < share).float()
