"""personne directions find: from samples, weights or scores to directions in the model's folder, with their ranges."""
# N latents, L style layer, D latent width

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.catalogue import ModelEntry
from models.direction_files import change_directions
from models.directions import Direction, Directions, Space, unit_direction
from models.engines.engine import Float32
from personne.commands.directions_range import RangeMeasure
from personne.commands.directions_scores import Scores, estimated_scores, read_scores
from personne.commands.directions_sheet import save_directions_sheet
from personne.commands.latent_faces import LatentFaces, opened_faces
from personne.progress import Step, shown_steps

GANSPACE, SEFA, INTERFACEGAN = "ganspace", "sefa", "interfacegan"
METHODS = (GANSPACE, SEFA, INTERFACEGAN)
SHEET_FILE = "directions.jpg"
FIRST_SEED = 1_000_000
"""Seeds of samples begin here: faces that people look at first are none that directions were fitted to."""


@dataclass(frozen=True)
class Search:
    """How directions are looked for. count: components of GANSpace and SeFa. samples: latents. layers: that a direction
    moves; None: all. space: of InterFaceGAN. scores: a CSV instead of the estimators. only: attributes; empty: all that
    there are scores of."""

    methods: tuple[str, ...] = (GANSPACE, SEFA)
    count: int = 10
    samples: int = 2000
    layers: tuple[int, int] | None = None
    space: Space = "w"
    scores: Path | None = None
    only: tuple[str, ...] = ()
    share: float = 0.1

    def __post_init__(self) -> None:
        for method in self.methods:
            if method not in METHODS:
                raise ValueError(f"There is no method {method!r}; there are: {', '.join(METHODS)}.")


def find_directions(entry: ModelEntry, search: Search, device: str) -> Directions:
    """Look for directions, measure how far each goes, and put them into the model's folder beside those that it has;
    of one name or of the same search the new ones stay. A sheet shows each.

    Raises ModelsError, ValueError for a search that finds nothing.
    """
    _ = entry.generator
    with shown_steps() as step, opened_faces(entry, device) as faces:
        step(f"drawing {search.samples} latents")
        z = faces.z_of(range(FIRST_SEED, FIRST_SEED + search.samples))
        ws = faces.ws_of(z)
        found: list[Direction] = []
        for method in search.methods:
            step(method)
            found += _FINDERS[method](Samples(entry, faces, z, ws, step), search)
        step("measuring what is usual")
        measure = RangeMeasure(faces)
        found = [_ranged(direction, measure, step) for direction in found]
        step("saving")
        saved = change_directions(
            entry.folder,
            entry.generator,
            lambda present: [*(one for one in present.values() if not _replaced(one, found)), *found],
        )
        step(f"drawing {SHEET_FILE}")
        save_directions_sheet(faces, found, entry.folder / SHEET_FILE)
    return saved


@dataclass(frozen=True)
class Samples:
    """What finders look at. z: [N, Z]. ws: [N, L, D]."""

    entry: ModelEntry
    faces: LatentFaces
    z: Float32
    ws: Float32
    step: Step

    @property
    def w(self) -> Float32:
        """[N, D]: mapping gives every layer the same."""
        return self.ws[:, 0]

    def unit(self, vector: Float32, space: Space) -> float:
        """A standard deviation of the latents along a direction."""
        latents = self.z if space == "z" else self.w
        return float((latents @ vector[0]).std())


def _ganspace(samples: Samples, search: Search) -> Iterator[Direction]:
    from training.directions.ganspace import principal_components

    found = principal_components(samples.w, search.count)
    for k, vector in enumerate(found.vectors):
        yield Direction(
            name=f"{GANSPACE}_{k + 1}",
            space="w",
            vector=unit_direction(vector),
            unit=float(found.deviations[k]),
            layers=search.layers,
            method=GANSPACE,
            measure=f"{found.shares[k]:.1%} of the variance of w",
            meaning="unnamed: see the sheet",
        )


def _sefa(samples: Samples, search: Search) -> Iterator[Direction]:
    from models.export.rebuild import rebuild
    from training.directions.sefa import semantics, style_weights

    network = rebuild(samples.entry)
    tensors = {name: tensor.numpy(force=True) for name, tensor in network.state_dict().items()}
    weights = style_weights(tensors, samples.entry.generator.family)
    vectors, values = semantics(weights, search.count, search.layers)
    for k, vector in enumerate(vectors):
        direction = unit_direction(vector)
        yield Direction(
            name=f"{SEFA}_{k + 1}",
            space="w",
            vector=direction,
            unit=samples.unit(direction, "w"),
            layers=search.layers,
            method=SEFA,
            measure=f"eigenvalue {values[k]:.3g}",
            meaning="unnamed: see the sheet",
        )


def _interfacegan(samples: Samples, search: Search) -> Iterator[Direction]:
    from training.directions.interfacegan import find_boundary

    scores = _scores(samples, search)
    latents = scores.z if search.space == "z" else scores.ws[:, 0]
    boundaries = {name: find_boundary(latents, column, search.share) for name, column in scores.columns.items()}
    for name in search.only:
        if name not in boundaries:
            raise ValueError(f"There are no scores of {name!r}; there are some of: {', '.join(boundaries)}.")
    for name, boundary in boundaries.items():
        if search.only and name not in search.only:
            continue
        yield Direction(
            name=name,
            space=search.space,
            vector=boundary.normal,
            unit=samples.unit(boundary.normal, search.space),
            layers=search.layers if search.space == "w" else None,
            method=INTERFACEGAN,
            accuracy=round(boundary.held_out, 4),
            measure=f"on the rest {boundary.rest:.1%}, of {len(latents)} faces",
            meaning=scores.meanings.get(name, ""),
        )


_FINDERS: Mapping[str, Callable[[Samples, Search], Iterator[Direction]]] = {
    GANSPACE: _ganspace,
    SEFA: _sefa,
    INTERFACEGAN: _interfacegan,
}


def _scores(samples: Samples, search: Search) -> Scores:
    if search.scores is not None:
        return read_scores(search.scores, samples.faces)
    samples.step(f"scoring {len(samples.ws)} faces")
    return estimated_scores(samples.z, samples.ws, samples.faces)


def _ranged(direction: Direction, measure: RangeMeasure, step: Step) -> Direction:
    step(f"measuring how far {direction.name} goes")
    low, high = measure.of(direction)
    return replace(direction, low=low, high=high)


def _replaced(old: Direction, found: list[Direction]) -> bool:
    unnamed = old.name.startswith(f"{old.method}_")
    return any(new.name == old.name or (unnamed and new.method == old.method) for new in found)
