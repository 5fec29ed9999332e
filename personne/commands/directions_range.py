"""How far a direction goes before its pictures are no longer such as the model draws by itself."""
# N pictures, S strengths, F features

import numpy as np
from numpy.typing import NDArray

from models.directions import Direction, Directions, offset_of
from models.engines.engine import Float32
from personne.commands.latent_faces import LatentFaces

STRENGTHS = (1.0, 1.5, 2.0, 2.5, 3.0)
LEAST = 0.5
"""What a direction is given that leaves the model's own pictures at once."""
PROBES = 24
"""Faces that are moved; fewer of large models, as many as take the same time."""
FIRST_SEED = 500_000
PSI = 0.7
WITHIN = (1.0, 99.0)
"""Percentiles of the model's own pictures between which a feature counts as usual."""
ENOUGH = 0.85
"""Share of the moved faces whose every feature must be so; of unmoved ones about as many are by definition."""
REFERENCE_TIMES = 4
"""So many times more faces say what is usual."""
MARGIN = 0.1
"""By this share of its width each interval is wider than what they showed."""


class RangeMeasure:
    """Finds the least and the greatest strength of STRENGTHS at which nearly all faces are still usual pictures.

    Usual are brightness, contrast, the share of black and white, and fine detail, each within what the model's own
    faces show. That finds pictures that fall apart, without any label; whether a face is still a good one, it cannot
    say.
    """

    def __init__(self, faces: LatentFaces) -> None:
        self._faces = faces
        self._count = max(2, min(PROBES, PROBES * 128**2 // faces.manifest.resolution**2))
        self._z = faces.z_of(range(FIRST_SEED, FIRST_SEED + self._count * REFERENCE_TIMES))
        usual = np.stack([features(picture) for picture in faces.pictures(faces.ws_of(self._z, 1.0))])
        low_F, high_F = np.percentile(usual, WITHIN, axis=0)
        margin = MARGIN * (high_F - low_F)
        self._low_F, self._high_F = low_F - margin, high_F + margin

    def of(self, direction: Direction) -> tuple[float, float]:
        """(least, greatest)"""
        return -self._reach(direction, -1), self._reach(direction, 1)

    def _reach(self, direction: Direction, sign: int) -> float:
        reached = 0.0
        for strength in STRENGTHS:
            moved = move(self._faces, direction, sign * strength, self._z[: self._count])
            found = np.stack([features(picture) for picture in self._faces.pictures(moved)])
            if ((found >= self._low_F) & (found <= self._high_F)).all(axis=1).mean() < ENOUGH:
                break
            reached = strength
        return max(reached, LEAST)


def features(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[F]: mean brightness, contrast, share of black and white, mean step between neighbours."""
    grey = picture.astype(np.float64).mean(axis=2)
    steps = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    ends = ((grey < 2) | (grey > 253)).mean() * 255
    return np.array([grey.mean(), grey.std(), ends, steps])


def move(faces: LatentFaces, direction: Direction, strength: float, z: Float32) -> Float32:
    """The ws [N, L, D] of latents [N, Z], truncated and moved."""
    offset = offset_of([(direction.name, strength)], [], Directions([direction]), faces.manifest.num_ws)
    ws = faces.ws_of(z if offset.z is None else z + offset.z, PSI)
    return ws if offset.ws is None else ws + offset.ws
