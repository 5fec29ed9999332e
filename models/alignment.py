"""The square around a face: where it lies in a photo, cut out of it, and put back with a soft border.

The square follows from five landmarks as FFHQ's does (Karras et al. 2019, appendix A): it stands upright on the line of
the eyes, is four eye distances wide (or 3.6 times the distance from eyes to mouth, where that is more), and its middle
lies a tenth of that distance below the eyes.
"""
# H W photo, C channel, S side of a crop

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
"""[N, 2]: x to the right and y down, in pixels from the picture's upper left corner."""

LANDMARKS = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")
"""In their order; left and right as one sees them in the picture."""
EYES_WIDE, MOUTH_DEEP = 2.0, 1.8
MIDDLE = 0.1
LEAST_TURN = 0.1
"""Sine of the angle between the eyes' line and the way from there to the mouth, of landmarks as somebody wrote them."""
BORDER = 0.15
"""Share of a crop's side over which it blends into the photo, on every side."""
SHARPEST = 2
"""A crop is sampled at no more than so many photo pixels a step; a larger one is shrunk first, so that nothing
glitters."""


@dataclass(frozen=True)
class FaceSquare:
    """A square in a photo, turned as the face is. In pixels of the photo.

    x, y: its middle. across_x, across_y: from the middle to the middle of its right side. The way down is that turned
    by a right angle.
    """

    x: float
    y: float
    across_x: float
    across_y: float

    @property
    def side(self) -> float:
        """In pixels of the photo."""
        return 2 * math.hypot(self.across_x, self.across_y)

    @property
    def corners(self) -> Points:
        """[4, 2]: upper left, upper right, lower right, lower left, as the face has them."""
        return self.to_photo(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))

    def to_photo(self, shares: Points) -> Points:
        """Places in the crop, as shares of its side, as places in the photo."""
        return (2 * shares - 1) @ self._axes + (self.x, self.y)

    def to_crop(self, places: Points) -> Points:
        """The inverse of `to_photo`."""
        return ((places - (self.x, self.y)) @ np.linalg.inv(self._axes) + 1) / 2

    def scaled(self, factor: float) -> "FaceSquare":
        """The same square in a photo that is so many times as large."""
        return FaceSquare(self.x * factor, self.y * factor, self.across_x * factor, self.across_y * factor)

    def turned(self, angle: float, factor: float) -> "FaceSquare":
        """A square about the same middle, turned by `angle` (radians, clockwise), `factor` times as wide."""
        cos, sin = factor * math.cos(angle), factor * math.sin(angle)
        across = cos * self.across_x - sin * self.across_y, sin * self.across_x + cos * self.across_y
        return FaceSquare(self.x, self.y, *across)

    @property
    def _axes(self) -> Points:
        return np.array([[self.across_x, self.across_y], [-self.across_y, self.across_x]])


def face_square(landmarks: Points) -> FaceSquare:
    """The square of a face [5, 2], see LANDMARKS. Raises ValueError for landmarks that make none."""
    landmarks = np.asarray(landmarks, np.float64)
    if landmarks.shape != (len(LANDMARKS), 2) or not np.isfinite(landmarks).all():
        raise ValueError(f"landmarks are {len(LANDMARKS)} points: {', '.join(LANDMARKS)}")
    eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    eye_to_eye, eye_to_mouth = landmarks[1] - landmarks[0], mouth - eyes
    # Both say where right is; what the face's turning takes from one, the other still has.
    across = eye_to_eye + eye_to_mouth[::-1] * (1, -1)
    length = float(np.linalg.norm(across))
    half = max(EYES_WIDE * float(np.linalg.norm(eye_to_eye)), MOUTH_DEEP * float(np.linalg.norm(eye_to_mouth)))
    if length < 1e-6 * max(half, 1.0) or half == 0:
        raise ValueError("these landmarks lie on one spot or the wrong way round, and make no face")
    middle_x, middle_y = eyes + MIDDLE * eye_to_mouth
    across_x, across_y = across / length * half
    return FaceSquare(float(middle_x), float(middle_y), float(across_x), float(across_y))


def square_as_written(landmarks: Points) -> FaceSquare:
    """The same of landmarks that somebody wrote down: of eyes that have changed places, as when the left one is taken
    for the person's own, the square would be turned anyhow. Raises ValueError."""
    square = face_square(landmarks)
    eye_to_eye, eye_to_mouth = landmarks[1] - landmarks[0], landmarks[3:].mean(0) - landmarks[:2].mean(0)
    turn = eye_to_eye[0] * eye_to_mouth[1] - eye_to_eye[1] * eye_to_mouth[0]
    if not turn > LEAST_TURN * np.linalg.norm(eye_to_eye) * np.linalg.norm(eye_to_mouth):
        raise ValueError(
            "these landmarks make no face: seen from the eye on the left of the photo to the one on its right, "
            "the mouth lies below"
        )
    return square


def cut(photo: Picture, square: FaceSquare, side: int) -> Picture:
    """The face as [S, S, 3]. What lies beyond the photo's edge is its reflection."""
    photo, square = _shrunk(photo, square, side)
    region, left, top = _around(photo, square)
    steps = max(1, math.ceil(square.side / side))
    matrix = _affine(lambda shares: square.to_photo(shares) - (left, top), np.zeros(2), 1 / (side * steps))
    sampled = Image.fromarray(region).transform(
        (side * steps, side * steps), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return np.asarray(sampled if steps == 1 else sampled.resize((side, side), Image.Resampling.LANCZOS))


def padding_share(photo_width: int, photo_height: int, square: FaceSquare, *, grid: int = 32) -> float:
    """How much of the square lies beyond the photo, 0 to 1."""
    shares = (np.stack(np.meshgrid(np.arange(grid), np.arange(grid)), -1).reshape(-1, 2) + 0.5) / grid
    places = square.to_photo(shares)
    inside = ((places >= 0) & (places < (photo_width, photo_height))).all(1)
    return float(1 - inside.mean())


def paste(photo: Picture, square: FaceSquare, face: Picture, border: float = BORDER) -> Picture:
    """The photo with the face [S, S, 3] in its square, blended over `border` of its side."""
    box, layer, cover = _laid(photo, square, _opaque(face, border))
    result = photo.copy()
    result[box] = np.rint(photo[box] + cover * (layer - photo[box])).astype(np.uint8)
    return result


def paste_change(
    photo: Picture, square: FaceSquare, before: Picture, after: Picture, border: float = BORDER
) -> Picture:
    """The photo changed in its square as `before` [S, S, 3] changed to `after`, blended over `border` of its side.

    What both have in common is taken from the photo, with all of its detail: a face that a small generator draws knows
    no pores and no background.
    """
    change = after.astype(np.int16) - before
    rising, falling = (part.clip(0, 255).astype(np.uint8) for part in (change, -change))
    box, up, cover = _laid(photo, square, _opaque(rising, border))
    _, down, _ = _laid(photo, square, _opaque(falling, border))
    result = photo.copy()
    result[box] = np.rint(photo[box] + cover * (up - down)).clip(0, 255).astype(np.uint8)
    return result


def _shrunk(photo: Picture, square: FaceSquare, side: int) -> tuple[Picture, FaceSquare]:
    """By a whole factor, where the square has far more pixels than are asked for."""
    factor = int(square.side / (side * SHARPEST))
    if factor < 2:
        return photo, square
    reduced = np.asarray(Image.fromarray(photo).reduce(factor))
    return reduced, square.scaled(1 / factor)


def _around(photo: Picture, square: FaceSquare) -> tuple[Picture, int, int]:
    """What the square needs of the photo, reflected beyond its edges, and the place of its upper left corner."""
    low, high = square.corners.min(0), square.corners.max(0)
    left, top = (math.floor(edge) - 3 for edge in low)
    right, bottom = (math.ceil(edge) + 3 for edge in high)
    rows, columns = _reflected(top, bottom, photo.shape[0]), _reflected(left, right, photo.shape[1])
    return np.ascontiguousarray(photo[rows][:, columns]), left, top


def _reflected(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """Indices start..stop folded into 0..size-1, the edge itself not repeated."""
    period = max(2 * (size - 1), 1)
    places = np.abs(np.arange(start, stop)) % period
    return np.where(places >= size, period - places, places)


def _affine(place_of: Callable[[Points], Points], start: Points, step: float, scale: float = 1.0) -> list[float]:
    """The six numbers by which Pillow finds the source of a pixel. place_of: from the picture that is made to the one
    that is sampled, affine. start: of the made picture's corner; step: of one of its pixels; scale: of the outcome."""
    corner = np.asarray(start, np.float64)
    origin, right, down = scale * place_of(corner + step * np.array([[0, 0], [1, 0], [0, 1]]))
    (a, d), (b, e) = right - origin, down - origin
    return [float(number) for number in (a, b, origin[0], d, e, origin[1])]


def _opaque(face: Picture, border: float) -> Picture:
    """[S, S, 4]: with an opacity that rises from the edge, smoothly, over `border` of the side."""
    side = len(face)
    inward = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / side
    rise = np.clip(inward / max(border, 1e-6), 0, 1)
    smooth = rise * rise * (3 - 2 * rise)
    return np.dstack([face, np.rint(255 * np.outer(smooth, smooth)).astype(np.uint8)])


def _laid(
    photo: Picture, square: FaceSquare, face: Picture
) -> tuple[tuple[slice, slice], NDArray[np.float32], NDArray[np.float32]]:
    """Where in the photo the face [S, S, 4] comes to lie, its pixels there [h, w, 3], and how far they cover what is
    under them, [h, w, 1] in 0..1."""
    height, width = photo.shape[:2]
    low = np.clip(np.floor(square.corners.min(0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(square.corners.max(0)), 0, (width, height)).astype(int)
    box = slice(low[1], high[1]), slice(low[0], high[0])
    if not (high > low).all():
        return box, np.zeros((*photo[box].shape[:2], 3), np.float32), np.zeros((*photo[box].shape[:2], 1), np.float32)
    side = min(len(face), max(1, round(square.side)))
    colours, opacity = (Image.fromarray(part).resize((side, side), Image.Resampling.LANCZOS) for part in _parts(face))
    matrix = _affine(square.to_crop, low, 1.0, side)
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    layer = colours.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    cover = opacity.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return box, np.asarray(layer, np.float32), np.asarray(cover, np.float32)[:, :, None] / np.float32(255)


def _parts(face: Picture) -> tuple[Picture, Picture]:
    return np.ascontiguousarray(face[:, :, :3]), np.ascontiguousarray(face[:, :, 3])
