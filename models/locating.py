"""Faces in a photo, by the face locator: a small network looks at the photo in several sizes, then once more at each
face that it found, upright and at the size that it knows best. Where there is a second network, it decides what of that
is a face, from close by."""
# H W photo or level, h w map, F face

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.alignment import LANDMARKS, FaceSquare, Picture, Points, cut, face_square
from models.engines.engine import Array, Engine

LONGEST_SIDE = 1280
"""Larger photos are shrunk to this first: their faces are found from about a fortieth of the longer side up."""
SMALLEST_LEVEL = 32
MULTIPLE = 8
"""Of a level's sides; a square of the network's map."""
SURE = 0.35
"""Score from which something is a face, at both looks of a network that is alone."""
POSSIBLE, SURE_OF_BOTH = 0.12, 0.33
"""The first network's score from which the second one looks, and that of both from which it is a face."""
CLOSE_SIDE, CLOSE_UNITS = 64, 3.0
"""Of what the second network is shown: pixels, and eye distances."""
CLOSE_WEIGHTS = (1 / 8, 1 / 8)
"""Of the second network in a face's score, at each of its two looks; the second is where the first put the face. In all
a geometric mean, three quarters of it the first network's."""
SECOND_SIDE = 96
SECOND_LOOKS = ((13.0, False), (17.0, True))
"""How far apart the eyes are at the second look, in pixels, and whether in a mirror: the mean of several is surer."""
IN_A_MIRROR = [1, 0, 2, 4, 3]
"""The order of landmarks there."""
MOST_FACES = 64
SMALLEST_FACE = 24
"""Longer side of the smallest box that is told of: below, texture looks like faces to a small network."""
WIDE, HIGH, RAISED = 2.1, 2.7, 0.12
"""A face's box in eye distances, and by how many its middle lies above that of the landmarks."""


@dataclass(frozen=True)
class Face:
    """A face that was found. landmarks: [5, 2], see models.alignment.LANDMARKS. score: 0 to 1."""

    landmarks: Points
    score: float

    @property
    def square(self) -> FaceSquare:
        """What is cut out of the photo for a generator."""
        return face_square(self.landmarks)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of what a person would draw around it, in pixels."""
        unit = self.square.side / 4
        x, y = self.landmarks.mean(0)
        return x - WIDE * unit / 2, y - (HIGH / 2 + RAISED) * unit, WIDE * unit, HIGH * unit

    @property
    def size(self) -> float:
        """The longer side of its box, in pixels."""
        return max(self.box[2:])


class Locator:
    """first: the graph `locator.onnx`: picture [N, H, W, 3] uint8 -> faces [N, H/8, W/8, 11], a score and landmarks in
    pixels for each square; H and W free, multiples of 8. second: `landmarks.onnx`, where there is one: picture
    [N, 64, 64, 3] uint8 -> face [N, 11], likewise."""

    def __init__(self, first: Engine, second: Engine | None = None) -> None:
        self._first, self._second = first, second

    def find(self, photo: Picture) -> list[Face]:
        """All faces, the largest first. photo: [H, W, 3] sRGB, upright."""
        least = SURE if self._second is None else POSSIBLE
        candidates = _apart([face for level in _levels(photo) for face in self._look(least, *level)])[:MOST_FACES]
        if self._second is None:
            seen_twice = self._look_again(photo, candidates)
        else:
            seen_twice = self._look_again(photo, self._from_close_by(photo, candidates, self._second))
        large_enough = [face for face in _apart(seen_twice) if face.size >= SMALLEST_FACE]
        return sorted(large_enough, key=lambda face: -face.square.side)

    def close(self) -> None:
        for engine in (self._first, self._second):
            if engine is not None:
                engine.close()

    def _look(self, least: float, level: Picture, scale_x: float, scale_y: float) -> list[Face]:
        found_hwO = self._first.run({"picture": level[None]})["faces"][0]
        rows, columns = np.nonzero(_peaks(found_hwO[:, :, 0], least))
        return [_face(found_hwO[row, column], (scale_x, scale_y)) for row, column in zip(rows, columns, strict=True)]

    def _from_close_by(self, photo: Picture, faces: Sequence[Face], second: Engine) -> list[Face]:
        """Those of which the second network is sure too, with its landmarks, and its score taken into theirs."""
        for weight in CLOSE_WEIGHTS:
            faces = self._closer(photo, _apart(faces), second, weight)
        return [face for face in _apart(faces) if face.score >= SURE_OF_BOTH]

    def _closer(self, photo: Picture, faces: Sequence[Face], second: Engine, weight: float) -> list[Face]:
        """One look at each, straight and in a mirror."""
        squares = [square for face in faces if (square := _second_square(face, CLOSE_UNITS)) is not None]
        if not squares:
            return []
        pictures = np.stack([cut(photo, square, CLOSE_SIDE) for square in squares])
        in_a_mirror = np.ascontiguousarray(pictures[:, :, ::-1])
        straight_FO, mirrored_FO = (second.run({"picture": one})["face"] for one in (pictures, in_a_mirror))
        seen = []
        for face, square, straight_O, mirrored_O in zip(faces, squares, straight_FO, mirrored_FO, strict=True):
            places = [
                found_O[1:].reshape(-1, 2).astype(np.float64) / CLOSE_SIDE for found_O in (straight_O, mirrored_O)
            ]
            shares = (places[0] + places[1][IN_A_MIRROR] * (-1, 1) + (1, 0)) / 2
            score = face.score ** (1 - weight) * (float(straight_O[0] + mirrored_O[0]) / 2) ** weight
            seen.append(Face(square.to_photo(shares), score))
        return seen

    def _look_again(self, photo: Picture, faces: Sequence[Face]) -> list[Face]:
        """The first network, at each face from two distances. Alone it says where the landmarks are, and is heard as to
        whether it is a face; else the landmarks are the mean of what both networks say."""
        upright = [(face, square) for face in faces if (square := _second_square(face)) is not None]
        if not upright:
            return []
        looks = [self._second_look(photo, [square for _, square in upright], *look) for look in SECOND_LOOKS]
        seen = []
        for (first, _), *again in zip(upright, *looks, strict=True):
            landmarks = np.mean([face.landmarks for face in again], axis=0)
            score = sum(face.score for face in again) / len(again)
            if self._second is not None:
                seen.append(Face((landmarks + first.landmarks) / 2, first.score))
            elif score >= SURE:
                seen.append(Face(landmarks, (first.score + score) / 2))
        return [face for face in seen if _makes_a_face(face.landmarks)]

    def _second_look(self, photo: Picture, squares: Sequence[FaceSquare], eyes: float, in_a_mirror: bool) -> list[Face]:
        """What is found in the middle of each square, four eye distances wide, when it is seen at that size."""
        growth = SECOND_SIDE / eyes / 4
        wider = [FaceSquare(one.x, one.y, one.across_x * growth, one.across_y * growth) for one in squares]
        pictures = np.stack([cut(photo, square, SECOND_SIDE) for square in wider])
        found_FhwO = self._first.run({"picture": pictures[:, :, ::-1] if in_a_mirror else pictures})["faces"]
        faces = []
        for square, found_hwO in zip(wider, found_FhwO, strict=True):
            best = _best_in_the_middle(found_hwO)
            shares = best[1:].reshape(-1, 2).astype(np.float64) / SECOND_SIDE
            if in_a_mirror:
                shares = shares[IN_A_MIRROR] * (-1, 1) + (1, 0)
            faces.append(Face(square.to_photo(shares), float(best[0])))
        return faces


def _levels(photo: Picture) -> list[tuple[Picture, float, float]]:
    """The photo in halves of its size, padded to whole squares, with what its pixels are in the photo's."""
    height, width = photo.shape[:2]
    share = min(1.0, LONGEST_SIDE / max(height, width))
    levels: list[tuple[Picture, float, float]] = []
    while max(height, width) * share >= SMALLEST_LEVEL or not levels:
        size = max(1, round(width * share)), max(1, round(height * share))
        image = Image.fromarray(photo)
        small = np.asarray(image if size == image.size else image.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
        padding = [(0, -side % MULTIPLE) for side in small.shape[:2]]
        levels.append((np.pad(small, [*padding, (0, 0)]), width / size[0], height / size[1]))
        photo = small
        share /= 2
    return levels


def _peaks(scores_hw: Array, least: float) -> NDArray[np.bool_]:
    """Where a score is `least` or more, and none of the eight around it higher."""
    around = np.pad(scores_hw, 1, constant_values=-1)
    h, w = scores_hw.shape
    highest = np.max([around[i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=0)
    peaks: NDArray[np.bool_] = (scores_hw >= least) & (scores_hw == highest)
    return peaks


def _face(found_O: Array, scale: tuple[float, float]) -> Face:
    return Face(found_O[1:].reshape(-1, 2).astype(np.float64) * scale, float(found_O[0]))


def _best_in_the_middle(found_hwO: Array) -> Array:
    """The highest score's square within two of the middle."""
    middle = SECOND_SIDE // MULTIPLE // 2
    around = found_hwO[middle - 2 : middle + 2, middle - 2 : middle + 2].reshape(-1, found_hwO.shape[-1])
    best: Array = around[around[:, 0].argmax()]
    return best


def _second_square(face: Face, units: float = 4.0) -> FaceSquare | None:
    """A square of so many eye distances around the middle of the landmarks, as the face is turned; None where they make
    no face."""
    if not _makes_a_face(face.landmarks):
        return None
    x, y = face.landmarks.mean(0)
    share = units / 4
    return FaceSquare(float(x), float(y), share * face.square.across_x, share * face.square.across_y)


def _makes_a_face(landmarks: Points) -> bool:
    if landmarks.shape != (len(LANDMARKS), 2):
        return False
    try:
        return face_square(landmarks).side > 1
    except ValueError:
        return False


def _apart(faces: Sequence[Face]) -> list[Face]:
    """Of faces whose middles lie in one another's, the surest."""
    kept: list[Face] = []
    for face in sorted((one for one in faces if _makes_a_face(one.landmarks)), key=lambda one: -one.score):
        middle, unit = face.landmarks.mean(0), face.square.side / 4
        rivals = ((one.landmarks.mean(0), max(unit, one.square.side / 4)) for one in kept)
        if all(np.linalg.norm(middle - other) > 0.9 * reach for other, reach in rivals):
            kept.append(face)
    return kept
