"""Scores of faces, for finding boundaries: from the estimators, or from somebody's CSV."""
# N latents, L style layer, D latent width

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.engines.engine import Float32
from models.estimates import ESTIMATES
from models.latents import SEED_LIMIT
from personne.commands.latent_faces import LatentFaces, opened_estimators

SEED = "seed"


@dataclass(frozen=True)
class Scores:
    """z: [N, Z]. ws: [N, L, D]. columns: [N] scores by attribute. meanings: of the attributes, where known."""

    z: Float32
    ws: Float32
    columns: Mapping[str, NDArray[np.float64]]
    meanings: Mapping[str, str]


def estimated_scores(z: Float32, ws: Float32, faces: LatentFaces) -> Scores:
    """What the estimators say of the faces of these latents."""
    with opened_estimators() as estimators:
        found = estimators.scores(list(faces.pictures(ws))).astype(np.float64)
    columns = {name: found[:, k] for k, name in enumerate(estimators.names)}
    return Scores(z, ws, columns, {one.name: one.meaning for one in ESTIMATES})


def read_scores(path: Path, faces: LatentFaces) -> Scores:
    """A CSV with a column `seed` and one for each attribute; the faces are those that `personne sample` draws of the
    seeds at truncation_psi 1. Raises ValueError with the line that is wrong, OSError."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = [name for name in reader.fieldnames or () if name != SEED]
        if not names or SEED not in (reader.fieldnames or ()):
            raise ValueError(f"{path} needs a column {SEED!r} and one for each attribute; it has {reader.fieldnames}.")
        rows = [_row(row, names, f"{path}, line {reader.line_num}") for row in reader]
    if not rows:
        raise ValueError(f"{path} has no line of scores.")
    z = np.concatenate([faces.z_of(range(seed, seed + 1)) for seed, _ in rows])
    columns = np.array([values for _, values in rows]).T
    return Scores(z, faces.ws_of(z), dict(zip(names, columns, strict=True)), {})


def _row(row: Mapping[str, str | None], names: list[str], where: str) -> tuple[int, list[float]]:
    try:
        seed, values = int(row[SEED] or ""), [float(row[name] or "") for name in names]
    except ValueError as error:
        raise ValueError(f"{where}: {error}.") from error
    if not 0 <= seed < SEED_LIMIT or not np.isfinite(values).all():
        raise ValueError(f"{where}: a seed is from 0 to 2**64 - 1, and a score is finite.")
    return seed, values
