"""How well a direction that some faces taught says of other faces what they have, by how many faces taught it.

    python -m benchmarks.teaching [--model faces] [--faces 400] [--trials 8]

The estimators stand in for a person: more or less of it than the median face, and one answer in ten is wrong. Half of
the faces teach, in random handfuls; of the other half, the figure is how closely their place along the direction
follows what the estimators say (Pearson's r). Beside the difference of means stand ridge regressions of several
strengths, in shares of the mean squared length of the faces' w, and the model's own direction of that name, found in
thousands of faces.
"""
# N faces, D width of w

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.catalogue import find_models
from models.teaching import taught_direction
from personne.commands.latent_faces import opened_estimators, opened_faces

ATTRIBUTES = ("smile", "age", "gender", "pose")
HANDFULS = (24, 48, 96)
RIDGES = (0.1, 1.0, 3.0)
WRONG = 0.1
FIRST_SEED = 5000
PSI = 0.7

Floats = NDArray[np.floating]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="faces")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--trials", type=int, default=8)
    options = parser.parse_args()
    entry = find_models(options.store).named(options.model)
    with opened_faces(entry, "cpu") as faces, opened_estimators() as estimators:
        z = faces.z_of(range(FIRST_SEED, FIRST_SEED + options.faces))
        w_ND = faces.ws_of(z)[:, 0]
        scores = estimators.scores(list(faces.pictures(faces.ws_of(z, PSI))))
        by_name = dict(zip(estimators.names, scores.T, strict=True))
    for name in ATTRIBUTES:
        compared(name, w_ND, by_name[name], options.trials)
        if name in entry.directions and entry.directions[name].space == "w":
            own = entry.directions[name].normal(entry.generator.num_ws).mean(0)
            print(f"  the model's own: {follows(own, w_ND[len(w_ND) // 2 :], by_name[name][len(w_ND) // 2 :]):.2f}")


def compared(name: str, w_ND: Floats, score_N: Floats, trials: int) -> None:
    """Print a row for each number of faces."""
    rng, half = np.random.default_rng(0), len(w_ND) // 2
    print(name)
    for count in HANDFULS:
        found: dict[str, list[float]] = {}
        for _ in range(trials):
            taken = rng.permutation(half)[:count]
            said = np.where(score_N[taken] > np.median(score_N), 1.0, -1.0) * np.where(rng.random(count) < WRONG, -1, 1)
            ways = {"means": taught_direction("it", "", w_ND[taken], said, w_ND).vector[0]}
            ways |= {f"ridge {share:g}": ridge(w_ND[taken], said, share) for share in RIDGES}
            for way, vector in ways.items():
                found.setdefault(way, []).append(follows(vector, w_ND[half:], score_N[half:]))
        print(f"  {count:3} faces: " + ", ".join(f"{way} {np.mean(each):.2f}" for way, each in found.items()))


def ridge(w_ND: Floats, said_N: Floats, share: float) -> Floats:
    """The direction of a ridge regression (Hoerl and Kennard 1970), by its dual."""
    centred_ND = w_ND - w_ND.mean(0)
    gram_NN = centred_ND @ centred_ND.T
    strength = share * np.trace(gram_NN) / len(w_ND)
    direction: Floats = centred_ND.T @ np.linalg.solve(gram_NN + strength * np.eye(len(w_ND)), said_N - said_N.mean())
    return direction


def follows(vector_D: Floats, w_ND: Floats, score_N: Floats) -> float:
    """Pearson's r of places along a direction and scores."""
    return float(np.corrcoef(w_ND @ vector_D, score_N)[0, 1])


if __name__ == "__main__":
    main()
