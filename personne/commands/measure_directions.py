"""personne directions measure: how much each direction moves its own estimator, the others, and who it is."""
# N faces, C channel, H W picture, D feature, K scores

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.catalogue import ModelEntry
from models.directions import Directions, offset_of
from personne.commands.latent_faces import Estimators, LatentFaces, opened_estimators, opened_faces
from personne.progress import shown_steps
from training.metrics.encoder import open_encoder

MEASURED_FILE = "directions.json"
CARD_FILE = "card.md"
TITLE = "## What can be moved"
FACES = 64
FIRST_SEED = 700_000
PSI = 0.7
BY = 1.5
"""Strength to either side, less where the range is narrower."""
SMALL = 32
ENOUGH = 3.0


@dataclass(frozen=True)
class Moved:
    """What one attribute's direction does, per unit of strength, everything else being kept that can be.

    own: of its estimator, in standard deviations of the model's faces. others: of the other estimators, likewise.
    ratio: own to the largest of the others. distance: RMS of 32x32 pixels between a face and itself moved by one.
    identity: the same in the features of `personne evaluate`, as a share of how far two faces are apart in them.
    own_unit: as `own`, in the estimator's own unit.
    """

    name: str
    keep: tuple[str, ...]
    own: float
    others: dict[str, float]
    ratio: float
    distance: float
    identity: float
    own_unit: float


def measure_directions(entry: ModelEntry, device: str, count: int = FACES) -> list[Moved]:
    """Measure every direction that has an estimator, write the figures into the model's folder and its card.

    Raises ValueError where no direction has one.
    """
    with shown_steps() as step, opened_faces(entry, device) as faces, opened_estimators() as estimators:
        names = [name for name in estimators.names if name in entry.directions]
        if not names:
            listing = ", ".join(estimators.names)
            raise ValueError(f"{entry.manifest.name!r} has no direction that an estimator knows: {listing}.")
        step(f"drawing {count} faces")
        movement = Movement(faces, estimators, Directions([entry.directions[name] for name in names]), count)
        moved = []
        for name in names:
            step(f"moving {name}")
            moved.append(movement.of(name))
    write_measured(entry.folder, moved, movement.apart, count)
    return moved


class Movement:
    """Some faces, how much they differ among themselves, and what directions do to them."""

    def __init__(self, faces: LatentFaces, estimators: Estimators, known: Directions, count: int) -> None:
        self._faces, self._estimators, self._known = faces, estimators, known
        self._z = faces.z_of(range(FIRST_SEED, FIRST_SEED + count))
        self._plain = list(faces.pictures(faces.ws_of(self._z, PSI)))
        self._spread_K = estimators.scores(self._plain).std(axis=0)
        self.apart = float(np.median([distance(one, self._plain[i - 1]) for i, one in enumerate(self._plain)]))
        self._encoder = open_encoder()
        self._features_ND = self._features(self._plain)
        self._features_apart = float(np.median(_lengths(self._features_ND - np.roll(self._features_ND, 1, axis=0))))

    def of(self, name: str) -> Moved:
        """Forth and back along one direction, with all others kept that lie in its space."""
        direction = self._known[name]
        others = [other for other in self._known if other != name]
        keep = tuple(other for other in others if self._known[other].space == direction.space)
        low, high = max(direction.low, -BY), min(direction.high, BY)
        ends = [self._estimators.scores(self._moved(name, strength, keep)) for strength in (low, high)]
        slopes_K = (ends[1] - ends[0]).mean(axis=0) / (high - low)
        slopes = dict(zip(self._estimators.names, (slopes_K / self._spread_K).tolist(), strict=True))
        largest = max((abs(slopes[other]) for other in others), default=0.0)
        by_one = self._moved(name, 1.0, keep)
        departed = _lengths(self._features(by_one) - self._features_ND).mean() / self._features_apart
        return Moved(
            name=name,
            keep=keep,
            own=round(slopes[name], 4),
            others={other: round(slopes[other], 4) for other in others},
            ratio=round(abs(slopes[name]) / max(largest, 1e-6), 2),
            distance=round(float(np.mean([distance(*pair) for pair in zip(by_one, self._plain, strict=True)])), 2),
            identity=round(float(departed), 3),
            own_unit=round(float(slopes_K[self._estimators.names.index(name)]), 4),
        )

    def _moved(self, name: str, strength: float, keep: Sequence[str]) -> list[NDArray[np.uint8]]:
        offset = offset_of([(name, strength)], keep, self._known, self._faces.manifest.num_ws)
        ws = self._faces.ws_of(self._z if offset.z is None else self._z + offset.z, PSI)
        return list(self._faces.pictures(ws if offset.ws is None else ws + offset.ws))

    def _features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """[N, D]"""
        pictures_NCHW = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        features: NDArray[np.float32] = self._encoder.embed(pictures_NCHW).numpy()
        return features


def _lengths(x_ND: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.linalg.norm(x_ND, axis=1)
    return lengths


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """RMS of the pixels, of 255 levels, at 32x32."""
    small = [
        np.asarray(Image.fromarray(p).resize((SMALL, SMALL), Image.Resampling.BOX), np.float64) for p in (one, other)
    ]
    return float(np.sqrt(np.square(small[0] - small[1]).mean()))


def write_measured(folder: Path, moved: Sequence[Moved], apart: float, count: int) -> None:
    """The figures as JSON, and as a table at the end of the card, in place of an older one."""
    document = {"faces": count, "truncation_psi": PSI, "two_faces_apart": round(apart, 2)}
    document["directions"] = [asdict(one) for one in moved]  # type: ignore[assignment]
    (folder / MEASURED_FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path = folder / CARD_FILE
    card = path.read_text(encoding="utf-8") if path.is_file() else ""
    before, _, after = card.partition(TITLE)
    # What follows the old section stays: the next heading of its rank.
    following = after[after.find("\n## ") + 1 :] if "\n## " in after else ""
    parts = [before.rstrip(), section(moved, apart, count), following.rstrip()]
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def section(moved: Sequence[Moved], apart: float, count: int) -> str:
    """The card's part about directions."""
    names = [one.name for one in moved]
    rows = [
        "| attribute | own | " + " | ".join(names) + " | own to the largest other | distance | identity |",
        "|---" * (len(names) + 5) + "|",
    ]
    for one in moved:
        cells = ["" if name == one.name else f"{one.others[name]:+.2f}" for name in names]
        rows.append(
            f"| `{one.name}` | {one.own:+.2f} | {' | '.join(cells)} | {one.ratio:.1f} | {one.distance:.1f} "
            f"| {one.identity:.0%} |"
        )
    short = [one.name for one in moved if one.ratio < ENOUGH]
    missed = f" Under {ENOUGH:g} times: {', '.join(short)}." if short else ""
    return (
        f"{TITLE}\n\n"
        f"Moved by one unit with all others kept (`keep=`), mean over {count} faces at truncation_psi {PSI}: how far "
        "each estimator's score moves, in standard deviations of this model's faces. The estimators are judges with "
        "errors of their own ([accuracy](../estimators/accuracy.json)), and directions were found with them. The "
        "distance is RMS of 32x32 pixels between a face and itself moved by one; two faces are "
        f"{apart:.1f} apart. Identity is how far the face goes from itself in the features of `personne evaluate`, "
        f"which nobody taught who is who, as a share of how far two faces are apart.{missed}\n\n" + "\n".join(rows)
    )
