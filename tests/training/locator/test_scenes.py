"""The locator's scenes: faces lie where their landmarks say, also on heads that turn, and in close-ups."""

import torch
from torch import Tensor

from models.networks.landmarks import SIDE, UNITS
from models.networks.locator import OUTPUTS, REACH, STRIDE
from training.locator.faces import LabelledFaces
from training.locator.heads import turned_heads
from training.locator.refill import mistaken
from training.locator.scenes import Shot, compose

UPRIGHT = torch.tensor([[24.0, 30.5], [40.0, 30.5], [32.0, 40.0], [25.0, 47.0], [39.0, 47.0]])
"""Of a picture with sides of 64."""


def black_faces_with_white_eyes() -> LabelledFaces:
    pictures = torch.zeros(8, 3, 64, 64, dtype=torch.uint8)
    for x, y in UPRIGHT[:2].long().tolist():
        pictures[:, :, y - 3 : y + 4, x - 3 : x + 4] = 255
    return LabelledFaces(pictures, UPRIGHT.repeat(8, 1, 1))


def seen_at(picture: Tensor, points: Tensor) -> Tensor:
    grey = picture.mean(0)
    return torch.stack([grey[int(y), int(x)] for x, y in points.tolist()])


def test_a_composed_face_lies_where_its_landmarks_say() -> None:
    """A face that is black but for white eyes: in the scene, white is found at the eyes."""
    torch.manual_seed(0)
    shot = Shot(64, 7.0, 20.0, faces=1)
    scenes = compose(black_faces_with_white_eyes(), torch.full((160, 3, 64, 64), -1.0), shot)
    seen, asked = 0, 0
    for row in range(160):
        eyes = scenes.landmarks[row, 0, :2]
        if not scenes.found[row, 0] or not ((eyes > 4) & (eyes < 60)).all() or (eyes[0] - eyes[1]).norm() < 10:
            continue
        at_eyes = seen_at(scenes.pictures[row], eyes)
        seen, asked = seen + int((at_eyes > scenes.pictures[row].median() + 0.2).all()), asked + 1
    assert asked >= 12
    assert seen >= 0.55 * asked, f"{seen} of {asked}: most are neither covered nor behind glasses"


def test_a_close_up_has_its_face_in_the_middle_or_none() -> None:
    torch.manual_seed(1)
    shot = Shot(SIDE, 17.0, 26.0, faces=1, is_close_up=True)
    scenes = compose(black_faces_with_white_eyes(), torch.full((128, 3, SIDE, SIDE), -1.0), shot)
    is_face = scenes.found[:, 0] > 0
    assert 0.4 < float(is_face.float().mean()) < 0.8
    off = (scenes.landmarks[is_face, 0].mean(1) - SIDE / 2).abs().amax(1)
    assert off.median() < 5
    assert off.max() < 16
    eyes = (scenes.landmarks[is_face, 0, 1] - scenes.landmarks[is_face, 0, 0]).norm(dim=1)
    assert eyes.max() <= 30
    assert scenes.pictures.shape == (128, 3, SIDE, SIDE)


def test_a_turned_heads_landmarks_turn_with_it() -> None:
    """Faces with a white tip of the nose: where a head turned, it is where that landmark went."""
    points = (2 * UPRIGHT).repeat(64, 1, 1)
    pictures = torch.full((64, 3, 128, 128), -1.0)
    x, y = points[0, 2].long().tolist()
    pictures[:, :, y - 3 : y + 4, x - 3 : x + 4] = 1
    torch.manual_seed(0)
    turned = turned_heads(pictures, points)
    moves = (turned.landmarks - points).norm(dim=2).amax(1)
    as_they_were = moves < 1e-3
    assert 0.2 < float(as_they_were.float().mean()) < 0.6, "some look straight on"
    assert (turned.cover[as_they_were] == 1).all()
    assert (turned.cover[~as_they_were].amin(dim=(1, 2, 3)) < 0.1).all(), "beside a turned head there is nothing"
    assert moves.max() > 25
    off = []
    for row in range(64):
        lit = ((turned.pictures[row, 0] > 0) & (turned.cover[row, 0] > 0.5)).nonzero().flip(1) + 0.5
        off += [(lit.mean(0) - turned.landmarks[row, 2]).norm()] if len(lit) > 8 else []
    # In profile there is hardly a tip to be seen.
    assert len(off) > 40
    assert max(off) < 0.2 * 32, "a fifth of the eye distance"
    middle = turned.landmarks.mean(1)
    assert (middle > 8).all()
    assert (middle < 120).all()


def test_a_false_face_is_shown_upright_from_close_by() -> None:
    """A picture that is white right of its middle, and a face lying on its side there: up is then where left was."""
    picture = torch.full((1, 3, 96, 96), -1.0)
    picture[:, :, :, 48:] = 1
    # Turned by a right angle: the eyes one above the other, the mouth to the left of them.
    points = torch.tensor([[54.0, 42.0], [54.0, 54.0], [48.0, 48.0], [42.0, 43.0], [42.0, 53.0]])
    found = torch.full((1, OUTPUTS, 12, 12), -9.0)
    found[0, 0, 5, 6] = 9
    square = torch.tensor([6.5, 5.5]) * STRIDE
    found[0, 1:, 5, 6] = ((points - square) / REACH).flatten()
    window = mistaken(picture, found)
    assert window.shape == (1, 3, SIDE, SIDE)
    upper, lower = window[0, 0, : SIDE // 2 - 4], window[0, 0, SIDE // 2 + 4 :]
    assert upper.min() > 0.9, "what was to the right is above"
    assert lower.max() < -0.9
    assert UNITS * 12 < 48, "all of it lies in the picture"
