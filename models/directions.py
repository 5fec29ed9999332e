"""Directions along which an attribute of a face changes: what they are, and what an edit adds to a latent.

The unit of strength is written down with each direction: of those that are found here it is one standard deviation of
latents along it, so that -3 to 3 is nearly all that there is; a published boundary keeps its own unit, 1. An edit is
an offset, x' = x + strength unit n (Shen et al. 2020, "Interpreting the latent space of GANs", Eq. 3): 0 is the face
itself, wherever it lies. (Their tool moves to a distance from the boundary instead, and so forgets where it lay.)
"""
# Z latent, L style layer, D latent width

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.errors import AttributeOutOfRange, EditRefused, ModelRefused, NoSuchAttribute

Float32 = NDArray[np.float32]
Space = Literal["z", "w"]

RESERVED = frozenset(
    (
        # What addresses take now.
        *(
            "model",
            "truncation_psi",
            "size",
            "class",
            "rotate",
            "translate_x",
            "translate_y",
            "format",
            "seed",
            "count",
        ),
        *("strength", "style", "keep", "directions", "address", "seconds", "space"),
        # Of shared ones.
        *("by", "expires", "signature"),
        # What they will: mixing, morphs, neighbours, filters, inversion.
        *("mix", "like", "from", "to", "seeds", "frames", "fps", "loop", "columns", "steps"),
        *("face", "landmarks", "method", "photo", "latent", "page"),
        # Beside the vectors in directions.npz, and beside the attributes in labels.csv.
        *("facts", "file"),
        # The form of the page that holds the sliders goes by this name in its script.
        "elements",
        # What would be mistaken for something else.
        *("attribute", "attributes", "edit", "edits", "default", "name", "none", "all", "job", "id", "key", "token"),
    )
)
"""A direction may not be called so: it is a parameter of addresses, or means something else where it would stand."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
MOST_STRENGTH = 20.0
LEAST_LEFT = 0.1
"""A direction of which less than this share is left beside those that are kept is the same attribute."""


class DirectionsRefused(ModelRefused):
    """These directions cannot be used."""


@dataclass(frozen=True, eq=False)
class Direction:
    """One attribute of one model.

    vector: [1, Z] (space z), [1, D] (w, the same in all layers) or [L, D] (w, by layer); the longest row has length 1.
    unit: how far in the latent one of strength leads. low, high: between these strengths faces stay faces. layers: the
    first layer that moves, and the one after the last; None: all. method: how it was found (`interfacegan`, `ganspace`,
    `sefa`, `arithmetic`, `boundary`). accuracy: of the boundary on latents that it was not fitted to, 0 to 1; measure:
    what other figure there is, in words. meaning: from what to what it leads.
    """

    name: str
    space: Space
    vector: Float32
    unit: float = 1.0
    low: float = -3.0
    high: float = 3.0
    layers: tuple[int, int] | None = None
    method: str = ""
    accuracy: float | None = None
    measure: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise DirectionsRefused(f"{self.name!r} is no attribute's name: small letters, digits and _, at most 32.")
        if self.name in RESERVED:
            raise DirectionsRefused(reserved(self.name))
        if not (-MOST_STRENGTH <= self.low <= 0 <= self.high <= MOST_STRENGTH and self.low < self.high):
            raise DirectionsRefused(
                f"{self.name}: a range of strength goes from {-MOST_STRENGTH:g} or more, over 0, to {MOST_STRENGTH:g} "
                f"or less, not from {self.low:g} to {self.high:g}."
            )
        if not (np.isfinite(self.unit) and self.unit > 0 and self._has_length):
            raise DirectionsRefused(f"{self.name}: the direction is empty or not finite.")

    @property
    def _has_length(self) -> bool:
        return self.vector.ndim == 2 and bool(np.isfinite(self.vector).all()) and bool(self.vector.any())

    def check_fits(self, z_dim: int, w_dim: int, num_ws: int) -> None:
        """Raises DirectionsRefused for a direction of another model's dimensions."""
        wanted = [(1, z_dim)] if self.space == "z" else [(1, w_dim), (num_ws, w_dim)]
        if self.vector.shape not in wanted:
            raise DirectionsRefused(
                f"{self.name}: a direction in {self.space} of this model has the shape "
                f"{' or '.join(map(str, wanted))}; this one has {self.vector.shape}."
            )
        if self.layers is not None and not (self.space == "w" and 0 <= self.layers[0] < self.layers[1] <= num_ws):
            raise DirectionsRefused(f"{self.name}: layers are a range within 0 to {num_ws}, of a direction in w.")

    def normal(self, num_ws: int) -> Float32:
        """The vector where it acts: [1, Z] in z, [L, D] in w with zeros in the layers that stay."""
        if self.space == "z":
            return self.vector
        normal_LD = np.repeat(self.vector, num_ws // len(self.vector), axis=0)
        if self.layers is not None:
            normal_LD[: self.layers[0]] = normal_LD[self.layers[1] :] = 0
        return normal_LD


def reserved(name: str) -> str:
    """Why a direction may not be called so."""
    return f"{name!r} is a parameter of addresses already, or has another meaning beside them; choose another name."


def unit_direction(vector: NDArray[np.floating]) -> Float32:
    """[D] or [L, D] -> [1, D] or [L, D] float32, the longest row of length 1; nothing but zeros stays so."""
    rows = np.atleast_2d(np.asarray(vector, np.float64))
    length = np.linalg.norm(rows, axis=1).max()
    return (rows / (length or 1.0)).astype(np.float32)


class Directions(Mapping[str, Direction]):
    """A model's directions by name, in the order of their file. digest: 8 hex digits of that file; "" without one."""

    def __init__(self, directions: Sequence[Direction] = (), digest: str = "") -> None:
        self._by_name = {direction.name: direction for direction in directions}
        if len(self._by_name) < len(directions):
            raise DirectionsRefused("Two directions have one name.")
        self.digest = digest

    def __getitem__(self, name: str) -> Direction:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Directions) and (self.digest, list(self)) == (other.digest, list(other))

    def __hash__(self) -> int:
        return hash(self.digest)


NO_DIRECTIONS = Directions()


@dataclass(frozen=True)
class Offset:
    """What edits add up to. z: [1, Z]; ws: [L, D]; None where nothing moves in that space."""

    z: Float32 | None = None
    ws: Float32 | None = None


def check_edits(
    model: str, directions: Directions, edits: Mapping[str, float], keep: Sequence[str], num_ws: int
) -> tuple[tuple[tuple[str, float], ...], tuple[str, ...]]:
    """Edits and what they keep as jobs carry them: sorted, without what changes nothing.

    model: its name, for the sentences. num_ws: its style layers.

    Raises NoSuchAttribute, AttributeOutOfRange, EditRefused.
    """
    for name in (*edits, *keep):
        if name not in directions:
            raise NoSuchAttribute(name, model, list(directions))
    for name, strength in edits.items():
        direction = directions[name]
        if not direction.low <= strength <= direction.high:
            raise AttributeOutOfRange(name, model, strength, ranges(directions))
    # + 0.0 makes -0.0 the same job as 0.0.
    moving = tuple(sorted((name, float(strength) + 0.0) for name, strength in edits.items() if strength))
    kept = tuple(sorted(set(keep))) if moving else ()
    for name, _ in moving:
        if name in kept:
            raise EditRefused(f"{name} cannot be moved and kept at once; leave it out of keep=.")
        _check_kept(directions, name, kept, num_ws)
    return moving, kept


def ranges(directions: Directions) -> dict[str, dict[str, float]]:
    """Least and greatest strength of each attribute."""
    return {name: {"minimum": one.low, "maximum": one.high} for name, one in directions.items()}


def offset_of(
    edits: Sequence[tuple[str, float]], keep: Sequence[str], directions: Directions, num_ws: int, model: str = ""
) -> Offset:
    """What these edits add to z and to ws. Raises NoSuchAttribute, EditRefused."""
    for name in (*(name for name, _ in edits), *keep):
        if name not in directions:
            raise NoSuchAttribute(name, model, list(directions))
    sums: dict[Space, Float32] = {}
    for name, strength in edits:
        direction = directions[name]
        kept = [directions[other].normal(num_ws) for other in keep]
        normal = conditioned(direction.normal(num_ws), kept, name)
        sums[direction.space] = (
            sums.get(direction.space, np.float32(0)) + np.float32(strength * direction.unit) * normal
        )
    return Offset(sums.get("z"), sums.get("w"))


def conditioned(normal: Float32, kept: Sequence[Float32], name: str = "It") -> Float32:
    """The part of a normal that moves along none of those that are kept, as long as it was (Shen et al. 2020, Eq. 7).

    Any number of them: the projection onto their span is a least squares. Raises EditRefused where nothing is left.
    """
    if not kept:
        return normal
    n = normal.ravel().astype(np.float64)
    kept_DK = np.stack([one.ravel() for one in kept], axis=1).astype(np.float64)
    shares, *_ = np.linalg.lstsq(kept_DK, n, rcond=None)
    left = n - kept_DK @ shares
    share = float(np.linalg.norm(left) / np.linalg.norm(n))
    if share < LEAST_LEFT:
        raise EditRefused(f"{name} cannot be moved without what is kept: they are the same direction.")
    return (left / share).reshape(normal.shape).astype(np.float32)


def _check_kept(directions: Directions, name: str, keep: Sequence[str], num_ws: int) -> None:
    direction = directions[name]
    for other in keep:
        if directions[other].space != direction.space:
            raise EditRefused(
                f"{name} moves in {direction.space} and {other} in {directions[other].space}, so that one cannot be "
                "kept while the other moves."
            )
    conditioned(direction.normal(num_ws), [directions[other].normal(num_ws) for other in keep], name)
