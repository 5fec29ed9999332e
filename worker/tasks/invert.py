"""A face in a photo -> located -> cut out as the generator's own training faces were -> the latent that draws it."""
# H W photo, R side of the generator's picture, L style layer, D width of w

import json
import math
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.contract import PHOTO, InvertJob
from models.abilities import Method, Space
from models.alignment import FaceSquare, Picture, cut, padding_share, square_as_written
from models.errors import ModelCannot
from models.inversion import Found, Inverter
from models.locating import Face, Locator
from models.manifest import GeneratorManifest
from worker.errors import Boxed, FaceTooSmall, JobRefused, NoFace, PhotoRefused, SeveralFaces
from worker.inverters import Inverters
from worker.loaded_model import LoadedGenerator
from worker.photos import Photo, decoded
from worker.pictures import EncodedPicture
from worker.tasks.solo import SoloTask, Step

KEPT_S = 3600.0
"""A latent tells what somebody looks like: it is kept for an hour at most, or until it is deleted."""
LEAST_PIXELS = 32
"""Longer side of a face's box from which on there is something to find."""
RIVAL = 0.5
"""A face is meant without being named if no other has so large a share of its size."""
LOCATING = 0.05
"""Share of the work that finding the face is reckoned at."""
MEDIA_TYPE = "application/json"


@dataclass(frozen=True)
class Located:
    """A face in its photo. crop: [R, R, 3], cut out along `face.square`. faces: how many there are."""

    photo: Photo
    face: Face
    crop: Picture
    faces: int


@dataclass(frozen=True)
class Inverted:
    """What came of it."""

    located: Located
    found: Found


class InvertTask(SoloTask[InvertJob, Photo, LoadedGenerator]):
    """Photo -> the face that is meant -> its latent, as JSON.

    most_pixels: larger photos are refused. inverters: the locator, and each generator's ways back.
    """

    works_with = GeneratorManifest

    def __init__(self, most_pixels: int, inverters: Inverters) -> None:
        self._most_pixels = most_pixels
        self._inverters = inverters

    def prepare(self, job: InvertJob, inputs: Mapping[str, bytes], model: LoadedGenerator) -> Photo:  # noqa: ARG002
        """Raises PhotoRefused."""
        if PHOTO not in inputs:
            raise PhotoRefused("The photo's time to live passed before its turn came; send it again.")
        return decoded(inputs[PHOTO], self._most_pixels)

    def run(self, job: InvertJob, prepared: Photo, model: LoadedGenerator, step: Step) -> Inverted:
        """Raises NoFace, SeveralFaces, FaceTooSmall, and JobRefused where the model cannot invert so."""
        inverter = self._inverters.inverter(model)
        step(0.0)
        located = locate(
            prepared, model.manifest.resolution, self._inverters.locator, face=job.face, landmarks=job.landmarks
        )
        found = invert(located.crop, inverter, step, Method(job.method), Space(job.space))
        return Inverted(located, found)

    def finish(self, job: InvertJob, picture: Inverted, inputs: Mapping[str, bytes]) -> EncodedPicture:  # noqa: ARG002
        """The document of a latent."""
        document = described(job, picture)
        return EncodedPicture(json.dumps(document).encode(), MEDIA_TYPE, KEPT_S)


def locate(
    photo: Photo, side: int, locator: Callable[[], Locator], *, face: int | None, landmarks: Sequence[float]
) -> Located:
    """The face that is meant, cut out with sides of `side` pixels. face, landmarks: as of an InvertJob. locator: called
    where one is needed.

    Raises NoFace, SeveralFaces, FaceTooSmall, and JobRefused for landmarks that make no face.
    """
    faces = [_given(landmarks)] if landmarks else locator().find(photo.pixels)
    chosen = _chosen(faces, face)
    if landmarks and not _inside(chosen, photo):
        # There is nothing to see but reflections of the edge.
        raise NoFace
    if chosen.size < LEAST_PIXELS:
        raise FaceTooSmall(as_json(faces), chosen.size, LEAST_PIXELS)
    return Located(photo, chosen, cut(photo.pixels, chosen.square, side), len(faces))


def invert(crop: Picture, inverter: Inverter, step: Step, method: Method, space: Space) -> Found:
    """The latent of a cut-out face. Raises JobRefused where the model cannot do it so."""

    def told(share: float) -> None:
        step(LOCATING + (1 - LOCATING) * share)

    try:
        return inverter.find(crop, method, space, step=told)
    except ModelCannot as error:
        raise JobRefused(str(error)) from error


def described(job: InvertJob, inverted: Inverted) -> dict[str, Any]:
    """What the result says, as JSON has it. ws: raw little-endian float32 [L, D], base64."""
    located, found = inverted.located, inverted.found
    width, height = located.photo.size
    square = located.face.square
    return {
        "model": job.model,
        "ws": b64encode(found.ws.astype("<f4").tobytes()).decode(),
        "method": job.method,
        "space": job.space,
        "error": round(found.error, 3),
        "photo": {"width": width, "height": height},
        "faces": located.faces,
        **{name: value for name, value in as_json([located.face])[0].items() if name != "number"},
        "crop": {
            **crop_as_json(square),
            "side": round(square.side, 2),
            "degrees": round(math.degrees(math.atan2(square.across_y, square.across_x)), 2),
            "beyond_the_photo": round(padding_share(width, height, square), 3),
        },
    }


def square_of(document: Mapping[str, Any]) -> FaceSquare:
    """The square that a latent's document tells of."""
    crop = document["crop"]
    return FaceSquare(*(float(crop[name]) for name in ("x", "y", "across_x", "across_y")))


def crop_as_json(square: FaceSquare) -> dict[str, float]:
    """What `square_of` reads again."""
    return {"x": square.x, "y": square.y, "across_x": square.across_x, "across_y": square.across_y}


def as_json(faces: Sequence[Face]) -> list[Boxed]:
    """Faces as a client sees them, in pixels of the upright photo."""
    return [
        {
            "number": number,
            "box": [round(value, 1) for value in face.box],
            "landmarks": np.round(face.landmarks, 2).tolist(),
            "score": round(face.score, 3),
            "crop": crop_as_json(face.square),
        }
        for number, face in enumerate(faces)
    ]


def _given(landmarks: Sequence[float]) -> Face:
    points = np.array(landmarks, np.float64)
    face = Face(points.reshape(-1, 2) if points.size % 2 == 0 else points, 1.0)
    try:
        square = square_as_written(face.landmarks)
    except ValueError as error:
        raise JobRefused(f"No face: {error}.") from error
    if not square.side > 1:
        raise JobRefused("These landmarks lie within a pixel; they make no face.")
    return face


def _inside(face: Face, photo: Photo) -> bool:
    """Whether any landmark lies in the photo."""
    return bool(((face.landmarks >= 0) & (face.landmarks <= photo.size)).all(axis=1).any())


def _chosen(faces: Sequence[Face], wanted: int | None) -> Face:
    if not faces:
        raise NoFace
    # The largest first: those behind in the background are nobody's portrait.
    rivals = [face for face in faces if face.size >= RIVAL * faces[0].size]
    if (wanted is None and len(rivals) > 1) or (wanted is not None and wanted >= len(faces)):
        raise SeveralFaces(as_json(faces), wanted)
    return faces[wanted or 0]
