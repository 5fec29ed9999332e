"""How far a direction goes before its pictures are no longer such as the model draws by itself."""

from models.directions import Direction, Directions, offset_of
from models.engines.engine import Float32
from personne.commands.latent_faces import LatentFaces
from personne.commands.usual_pictures import UsualPictures

STRENGTHS = (1.0, 1.5, 2.0, 2.5, 3.0)
LEAST = 0.5
"""What a direction is given that leaves the model's own pictures at once."""
PROBES, LARGEST_SIDE = 96, 96
"""Faces that are moved; fewer of models of more pixels a side than that, as many as take the same time."""
FIRST_SEED = 500_000
PSI = 0.7
ENOUGH = 0.75
"""Share of the moved faces that must be usual pictures; of unmoved ones nearly all are by definition."""
REFERENCE_TIMES, LEAST_REFERENCE = 2, 24
"""So many times more other faces say what is usual, and no fewer than that."""


class RangeMeasure:
    """Finds the least and the greatest strength of STRENGTHS at which most faces are still usual pictures.

    That finds faces that fall apart, without any label and of any generator; whether what is left is a likely person,
    it cannot say.
    """

    def __init__(self, faces: LatentFaces) -> None:
        self._faces = faces
        count = max(2, min(PROBES, PROBES * LARGEST_SIDE**2 // faces.manifest.resolution**2))
        others = max(LEAST_REFERENCE, count * REFERENCE_TIMES)
        self._z = faces.z_of(range(FIRST_SEED, FIRST_SEED + count))
        z = faces.z_of(range(FIRST_SEED + count, FIRST_SEED + count + others))
        # Light may vary as far as the model itself goes; texture is compared with faces that are truncated as those
        # that move: without truncation too many are broken themselves to tell what is.
        varied, plain = (list(faces.pictures(faces.ws_of(z, psi))) for psi in (1.0, PSI))
        self._usual = UsualPictures(varied, plain)

    def of(self, direction: Direction) -> tuple[float, float]:
        """(least, greatest)"""
        return -self._reach(direction, -1), self._reach(direction, 1)

    def _reach(self, direction: Direction, sign: int) -> float:
        reached = 0.0
        for strength in STRENGTHS:
            moved = move(self._faces, direction, sign * strength, self._z)
            if self._usual.share(list(self._faces.pictures(moved))) < ENOUGH:
                break
            reached = strength
        return max(reached, LEAST)


def move(faces: LatentFaces, direction: Direction, strength: float, z: Float32) -> Float32:
    """The ws [N, L, D] of latents [N, Z], truncated and moved."""
    offset = offset_of([(direction.name, strength)], [], Directions([direction]), faces.manifest.num_ws)
    ws = faces.ws_of(z if offset.z is None else z + offset.z, PSI)
    return ws if offset.ws is None else ws + offset.ws
