"""personne directions attributes: what our estimators know, as directions that keep out of each other's way."""
# N latents, D width of w, K attributes, A asides, S scores, B basis

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from models.catalogue import ModelEntry
from models.direction_files import change_directions
from models.directions import Direction, Directions, unit_direction
from models.estimates import ESTIMATES
from personne.commands.directions_range import RangeMeasure
from personne.commands.directions_scores import Scores, estimated_scores
from personne.commands.directions_sheet import save_directions_sheet
from personne.commands.find_directions import FIRST_SEED, INTERFACEGAN, SHEET_FILE
from personne.commands.latent_faces import Estimators, LatentFaces, opened_estimators, opened_faces
from personne.commands.measure_directions import BY, ENOUGH, PSI
from personne.progress import Step, shown_steps
from training.directions.clean import clean_directions
from training.directions.interfacegan import find_boundary

SAMPLES = 6000
SHARE = 0.1
ATTRIBUTES = ("smile", "age", "gender", "pose", "glasses", "background")
"""What becomes a direction, if it can be moved cleanly."""
EXTRA = ("glasses", "background")
"""What is left out before any other attribute is, where not all can be moved cleanly."""
ASIDES = ("brightness", "hair")
"""What no direction may move, and what is none itself: it would move too much else."""
FELT_BY = 48
FELT_FROM = 750_000
"""Faces along which attributes are felt; `personne directions measure` judges by others."""
AXES = 32
"""Of the main axes of w, beside the boundaries: with these alone, little of age keeps out of the others' way (0.24
standard deviations a unit, and 0.42 with the axes)."""
CLEANLY = ENOUGH * 4 / 3
"""Times that a direction is to move its own attribute as much as another on the faces where that is felt: on those by
which it is judged it is somewhat less."""
ROUNDS = 2
"""How often it is felt: first along the boundaries, then along what came of them."""
LEAST_DRAWN = 0.03
"""Share of the faces in which a yes and a no must be seen, or there is no such direction."""
LEAST_MOVED = 0.25
"""Standard deviations that a unit must move its own attribute, or there is no such direction."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Cleaned:
    """names [K] with their vectors [K, D], and how many times each is expected to move its own as much as another."""

    names: tuple[str, ...]
    vectors: Matrix
    ratios: Matrix


def find_attributes(entry: ModelEntry, device: str, samples: int = SAMPLES, felt_by: int = FELT_BY) -> Directions:
    """Find a direction for each of ATTRIBUTES, leave out those that cannot be moved without others, measure how far
    each goes, and put them into the model's folder in place of those of their names. felt_by: as many faces are moved
    to feel what changes.

    Raises ModelsError, ValueError for too few samples, or faces in which nothing can be moved.
    """
    _ = entry.generator
    with shown_steps() as step, opened_faces(entry, device) as faces:
        step(f"drawing and scoring {samples} faces")
        z = faces.z_of(range(FIRST_SEED, FIRST_SEED + samples))
        scores = estimated_scores(z, faces.ws_of(z), faces)
        found = list(boundaries(scores))
        cleaned = cleaned_of(found, scores.ws[:, 0], faces, felt_by, step)
        step("measuring what is usual")
        measure, directions = RangeMeasure(faces), []
        for name, vector, ratio in zip(cleaned.names, cleaned.vectors, cleaned.ratios, strict=True):
            step(f"measuring how far {name} goes ({ratio:.1f} times the others)")
            low, high = measure.of(moved := _renewed(found, name, vector, scores.ws[:, 0], cleaned.names))
            directions.append(replace(moved, low=low, high=high))
        step(f"saving, and drawing {SHEET_FILE}")
        sought = (*ATTRIBUTES, *ASIDES)
        saved = change_directions(
            entry.folder,
            entry.generator,
            lambda present: [*directions, *(one for name, one in present.items() if name not in sought)],
        )
        save_directions_sheet(faces, directions, entry.folder / SHEET_FILE)
    return saved


def boundaries(scores: Scores) -> Iterator[Direction]:
    """The boundary of every attribute and aside that there are scores of."""
    w_ND = scores.ws[:, 0]
    for name in (*ATTRIBUTES, *ASIDES):
        if name in scores.columns and not _hardly_drawn(name, scores):
            boundary = find_boundary(w_ND, scores.columns[name], SHARE)
            yield Direction(
                name=name,
                space="w",
                vector=boundary.normal,
                unit=1.0,
                method=INTERFACEGAN,
                accuracy=round(boundary.held_out, 4),
                measure=f"on the rest {boundary.rest:.1%}, of {len(w_ND)} faces",
                meaning=scores.meanings.get(name, ""),
            )


def _hardly_drawn(name: str, scores: Scores) -> bool:
    """Whether a yes or a no is so rare that its boundary would be one between faces without and faces without."""
    is_chance = any(one.name == name and one.is_chance for one in ESTIMATES)
    share = float((scores.columns[name] > 0).mean())
    return is_chance and min(share, 1 - share) < LEAST_DRAWN


def cleaned_of(
    found: Sequence[Direction], w_ND: NDArray[np.floating], faces: LatentFaces, felt_by: int, step: Step
) -> Cleaned:
    """Directions at right angles, in the span of boundaries and main axes, of all attributes that move cleanly."""
    axes_BD = np.linalg.svd(w_ND - w_ND.mean(axis=0), full_matrices=False)[2][:AXES]
    spanning = [*(one.vector for one in found), axes_BD]
    # As many as there are dimensions at most: `qr` is of all that they span.
    basis_BD = np.linalg.qr(np.concatenate(spanning).T.astype(np.float64))[0].T
    asides = [one.name for one in found if one.name in ASIDES]
    with opened_estimators() as estimators:
        step("feeling what moves along the boundaries")
        touch = Touch(faces, estimators, w_ND, felt_by)
        names = [one.name for one in found if one.name in ATTRIBUTES]
        cleaned = _cleanest(names, asides, basis_BD, touch)
        for _ in range(ROUNDS - 1):
            step("feeling what moves along the directions")
            # The directions and what is left of the span, as a basis: nearer to what will be moved.
            first_KB = cleaned.vectors
            basis_BB = np.concatenate([first_KB, np.linalg.svd(first_KB, full_matrices=True)[2][len(first_KB) :]])
            basis_BD = basis_BB @ basis_BD
            cleaned = _cleanest(cleaned.names, asides, basis_BD, touch)
    return Cleaned(cleaned.names, cleaned.vectors @ basis_BD, cleaned.ratios)


class Touch:
    """Some faces of psi 0.7, and what the estimators feel when these are moved."""

    def __init__(self, faces: LatentFaces, estimators: Estimators, w_ND: NDArray[np.floating], count: int) -> None:
        self.names = estimators.names
        self._faces, self._estimators, self._w_ND = faces, estimators, w_ND
        self._ws = faces.ws_of(faces.z_of(range(FELT_FROM, FELT_FROM + count)), PSI)
        self._spread_S = self._scores(self._ws).std(axis=0)

    def along(self, vectors_BD: Matrix) -> Matrix:
        """[S, B]: standard deviations of each score by one of length along each vector."""
        return np.stack([self._slopes(vector) for vector in vectors_BD], axis=1)

    def _slopes(self, vector_D: Matrix) -> Matrix:
        reach = BY * float((self._w_ND @ vector_D).std())
        ends = [self._scores(self._ws + np.float32(sign * reach) * vector_D.astype(np.float32)) for sign in (-1, 1)]
        slopes: Matrix = (ends[1] - ends[0]).mean(axis=0) / (2 * reach) / self._spread_S
        return slopes

    def _scores(self, ws: NDArray[np.float32]) -> Matrix:
        return self._estimators.scores(list(self._faces.pictures(ws))).astype(np.float64)

    def unit(self, vector_D: Matrix) -> float:
        """A standard deviation of w along it."""
        return float((self._w_ND @ vector_D).std())


def _cleanest(names: Sequence[str], asides: Sequence[str], basis_BD: Matrix, touch: Touch) -> Cleaned:
    """As many as can all be moved cleanly, those of EXTRA the first to be left out. In coordinates of the basis."""
    felt_SB = touch.along(basis_BD)
    asides_AB = felt_SB[[touch.names.index(name) for name in asides]]
    best: Cleaned | None = None
    for left in _subsets(names):
        if best is not None and _rank(left, names) != _rank(best.names, names):
            break
        felt_KB = felt_SB[[touch.names.index(name) for name in left]]
        vectors, ratios = clean_directions(felt_KB, asides_AB)
        vectors *= np.sign((felt_KB * vectors).sum(axis=1, keepdims=True))
        own = (felt_KB * vectors).sum(axis=1) * [touch.unit(vector) for vector in vectors @ basis_BD]
        clean = own.min() >= LEAST_MOVED and ratios.min() >= CLEANLY
        if clean and (best is None or ratios.min() > best.ratios.min()):
            best = Cleaned(left, vectors, ratios)
    if best is None:
        raise ValueError("Nothing of these faces can be moved without moving something else as much.")
    return best


def _subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All but the empty one, those first that leave out the least."""
    every = [left for count in range(1, len(names) + 1) for left in combinations(names, count)]
    return sorted(every, key=lambda left: _rank(left, names))


def _rank(left: Sequence[str], names: Sequence[str]) -> tuple[int, int]:
    """How many are left out that are not of EXTRA, and how many that are."""
    gone = [name for name in names if name not in left]
    return sum(name not in EXTRA for name in gone), sum(name in EXTRA for name in gone)


def _renewed(
    found: Sequence[Direction], name: str, vector_D: Matrix, w_ND: NDArray[np.floating], names: Sequence[str]
) -> Direction:
    raw = next(one for one in found if one.name == name)
    others = ", ".join(sorted(one.name for one in found if one.name != name and one.name in (*names, *ASIDES)))
    return replace(
        raw,
        vector=unit_direction(vector_D[None].astype(np.float32)),
        unit=float((w_ND @ vector_D).std()),
        measure=f"{raw.measure}; without {others}",
    )
