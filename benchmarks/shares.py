"""Are women, glasses, beards, smiles in generated faces in about the shares of the training portraits?

    python -m benchmarks.shares MODEL --data FACES [--samples 1000] [--psi 0.7,1.0] [--store FOLDER]

Both sides are judged by the shipped estimators, whose errors so cancel in part.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.catalogue import ModelEntry, find_models
from models.contact_sheet import Picture
from models.estimates import ESTIMATES
from personne.commands.latent_faces import opened_estimators
from personne.commands.sample import draw_faces
from training.dataset import load_pictures

PSI = (0.7, 1.0)
DATA = "portraits"
Shares = dict[str, dict[str, float]]
"""By where pictures come from, and by attribute: the share of a chance's yes, the mean of a number."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--psi", default=",".join(map(str, PSI)))
    parser.add_argument("--store", type=Path, default=Path("store"))
    options = parser.parse_args()
    entry = find_models(options.store).named(options.model)
    psis = [float(psi) for psi in options.psi.split(",")]
    drawn = {psi: list(draw_faces(entry, range(options.samples), psi, device="cpu")) for psi in psis}
    print(table(shares(drawn, options.data, side_of(entry))))


def side_of(entry: ModelEntry) -> int:
    """The portraits are judged at the model's size, so that neither side is the sharper."""
    return entry.generator.resolution


def shares(drawn: dict[float, list[Picture]], data: Path, side: int) -> Shares:
    """Of the train split of `data`, and of pictures drawn at each truncation_psi."""
    portraits = load_pictures(data, side).transpose(0, 2, 3, 1)
    told = {DATA: judged(list(portraits))}
    return told | {f"psi {psi:g}": judged(pictures) for psi, pictures in drawn.items()}


def judged(pictures: Sequence[Picture]) -> dict[str, float]:
    """What the estimators say of these pictures, all together."""
    with opened_estimators() as estimators:
        scores: NDArray[np.floating] = estimators.scores(list(pictures))
    told: dict[str, float] = {}
    for k, one in enumerate(ESTIMATES):
        column = scores[:, k]
        told[one.name] = float((column > 0).mean() if one.is_chance else column.mean())
        if not one.is_chance:
            told[f"{one.name}, spread"] = float(column.std())
    return told


def table(told: Shares) -> str:
    """In the form of a document."""
    lines = ["| | " + " | ".join(told) + " |", "|---" * (len(told) + 1) + "|"]
    chances = {one.name for one in ESTIMATES if one.is_chance}
    for name in told[DATA]:
        cells = [f"{column[name]:.1%}" if name in chances else f"{column[name]:.2f}" for column in told.values()]
        lines.append(f"| {_title(name)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def farthest(told: Shares, psi: str) -> tuple[str, float]:
    """The chance whose share differs the most from the portraits', in points."""
    chances: Iterable[str] = (one.name for one in ESTIMATES if one.is_chance)
    return max(((name, 100 * (told[psi][name] - told[DATA][name])) for name in chances), key=lambda pair: abs(pair[1]))


def _title(name: str) -> str:
    one = next((one for one in ESTIMATES if one.name == name), None)
    return f"{name} ({one.high})" if one is not None and one.is_chance else name


if __name__ == "__main__":
    main()
