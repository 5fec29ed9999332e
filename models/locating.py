"""Faces in a photo, by the face locator: a small network looks at the photo in many sizes. What may be a face, a second
network is shown from close by: both decide whether it is one, and the second says where its landmarks are. Where there
is no second network, the first looks once more, upright and at the size that it knows best."""
# H W photo or level, h w map, F face

import math
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
LEVEL_STEP = 0.8
"""How much smaller each size is than the one before. In halves, faces between two of them are seen by neither well."""
MULTIPLE = 8
"""Of a level's sides; a square of the network's map."""
SURE = 0.35
"""Score from which something is a face, at both looks of a network that is alone."""
POSSIBLE, SURE_OF_BOTH = 0.12, 0.45
"""The first network's score from which the second one looks, and that of both from which it is a face: the geometric
mean of the first's and of the second's at each of its looks."""
CLOSE_SIDE, CLOSE_UNITS = 64, 3.0
"""Of what the second network is shown: pixels, and eye distances."""
CLOSE_LOOKS = 2
"""Of which the second is where the first put the face."""
SETTLING = tuple((math.radians(degrees), size) for size in (0.85, 1.0, 1.2) for degrees in (-15, -8, 0, 8, 15))
"""How a face that is one is turned, and by how much its square is wider, to settle where its landmarks are: the mean of
many looks is surer, and the first network's would not help."""
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
            seen_twice = self._from_close_by(photo, candidates, self._second)
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
        """Those of which both networks are sure, with the second one's landmarks."""
        for voices in range(2, 2 + CLOSE_LOOKS):
            heard = [
                Face(seen.landmarks, face.score ** (1 - 1 / voices) * seen.score ** (1 / voices))
                for face, seen in self._seen_close(photo, faces, second)
            ]
            # Those that are left to hear can say no more than 1.
            faces = [face for face in heard if face.score ** (voices / (1 + CLOSE_LOOKS)) >= SURE_OF_BOTH]
        settled = self._seen_close(photo, _apart(faces), second, SETTLING)
        return [Face(seen.landmarks, face.score) for face, seen in settled if _makes_a_face(seen.landmarks)]

    def _seen_close(
        self,
        photo: Picture,
        faces: Sequence[Face],
        second: Engine,
        views: Sequence[tuple[float, float]] = ((0.0, 1.0),),
    ) -> list[tuple[Face, Face]]:
        """Each face beside what the second network says of it: the mean over the views, straight and in a mirror, of
        places weighed by how sure it is there."""
        upright = [(face, square) for face in faces if (square := _second_square(face, CLOSE_UNITS)) is not None]
        if not upright:
            return []
        places: list[list[Points]] = [[] for _ in upright]
        scores: list[list[float]] = [[] for _ in upright]
        for view in views:
            squares = [square.turned(*view) for _, square in upright]
            pictures = np.stack([cut(photo, square, CLOSE_SIDE) for square in squares])
            for mirrors in (False, True):
                shown = np.ascontiguousarray(pictures[:, :, ::-1]) if mirrors else pictures
                for number, found_O in enumerate(second.run({"picture": shown})["face"]):
                    shares = _shares(found_O, CLOSE_SIDE, mirrors=mirrors)
                    places[number].append(squares[number].to_photo(shares))
                    scores[number].append(float(found_O[0]))
        return [
            (face, Face(np.average(seen, axis=0, weights=heard), float(np.mean(heard))))
            for (face, _), seen, heard in zip(upright, places, scores, strict=True)
        ]

    def _look_again(self, photo: Picture, faces: Sequence[Face]) -> list[Face]:
        """The first network alone, at each face from two distances: it says where the landmarks are, and is heard as to
        whether it is a face."""
        upright = [(face, square) for face in faces if (square := _second_square(face)) is not None]
        if not upright:
            return []
        looks = [self._second_look(photo, [square for _, square in upright], *look) for look in SECOND_LOOKS]
        seen = []
        for (first, _), *again in zip(upright, *looks, strict=True):
            landmarks = np.mean([face.landmarks for face in again], axis=0)
            score = sum(face.score for face in again) / len(again)
            if score >= SURE:
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
            shares = _shares(best, SECOND_SIDE, mirrors=in_a_mirror)
            faces.append(Face(square.to_photo(shares), float(best[0])))
        return faces


def _levels(photo: Picture) -> list[tuple[Picture, float, float]]:
    """The photo in ever smaller sizes, padded to whole squares, with what its pixels are in the photo's."""
    height, width = photo.shape[:2]
    share = min(1.0, LONGEST_SIDE / max(height, width))
    image = Image.fromarray(photo)
    levels: list[tuple[Picture, float, float]] = []
    while max(height, width) * share >= SMALLEST_LEVEL or not levels:
        size = max(1, round(width * share)), max(1, round(height * share))
        small = np.asarray(image if size == image.size else image.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
        if not levels:
            image = Image.fromarray(small)
        padding = [(0, -side % MULTIPLE) for side in small.shape[:2]]
        levels.append((np.pad(small, [*padding, (0, 0)]), width / size[0], height / size[1]))
        share *= LEVEL_STEP
    return levels


def _peaks(scores_hw: Array, least: float) -> NDArray[np.bool_]:
    """Where a score is `least` or more, and none of the eight around it higher."""
    around = np.pad(scores_hw, 1, constant_values=-1)
    h, w = scores_hw.shape
    highest = np.max([around[i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=0)
    peaks: NDArray[np.bool_] = (scores_hw >= least) & (scores_hw == highest)
    return peaks


def _shares(found_O: Array, side: int, *, mirrors: bool) -> Points:
    """Landmarks [5, 2] in a picture of `side` pixels, as shares of it, told as if there had been no mirror."""
    shares: Points = found_O[1:].reshape(-1, 2).astype(np.float64) / side
    return shares[IN_A_MIRROR] * (-1, 1) + (1, 0) if mirrors else shares


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
