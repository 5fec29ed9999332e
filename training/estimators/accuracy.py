"""How right the estimators are on people whom they never saw, told apart by sex and age."""
# N pictures, K attributes

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.estimators.labels import AGES, LEARNT, Portraits
from training.estimators.network import Estimators

Figures = dict[str, float | int]
SEX, AGE = "gender", "age"


def accuracy_of(network: Estimators, portraits: Portraits) -> dict[str, dict[str, Figures]]:
    """By attribute, for all, women, men and each age band: of chances `count`, `yes` and `no` (the shares of each that
    are told right) and `balanced`, their mean; of numbers `count`, `error` (mean, absolute) and `correlation`."""
    scores = scores_of(network, portraits)
    report: dict[str, dict[str, Figures]] = {}
    for k, one in enumerate(LEARNT):
        report[one.name] = {}
        for group, members in _groups(portraits):
            rows = members & ~np.isnan(portraits.labels[:, k])
            told = _chance if one.is_chance else _number
            report[one.name][group] = told(scores[rows, k], portraits.labels[rows, k])
    return report


def scores_of(network: Estimators, portraits: Portraits, batch: int = 128) -> NDArray[np.float32]:
    """[N, K]"""
    pictures = torch.from_numpy(portraits.pictures)
    with torch.no_grad():
        parts = [network(part.float() / 127.5 - 1) for part in torch.split(pictures, batch)]  # 0..255 => [-1, 1]
    scores: NDArray[np.float32] = torch.cat(parts).numpy()
    return scores


def _groups(portraits: Portraits) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    names = [one.name for one in LEARNT]
    sexes, ages = portraits.labels[:, names.index(SEX)], portraits.labels[:, names.index(AGE)]
    yield "all", np.ones(len(portraits), bool)
    yield "women", sexes == 0
    yield "men", sexes == 1
    for low, high in AGES:
        title = f"under {high}" if not low else f"{low} and over" if high == AGES[-1][1] else f"{low} to {high - 1}"
        yield title, (ages >= low) & (ages < high)


def _chance(scores: NDArray[Any], wanted: NDArray[Any]) -> Figures:
    said = scores > 0
    figures: Figures = {"count": len(wanted)}
    for name, side in (("no", 0.0), ("yes", 1.0)):
        if (wanted == side).any():
            figures[name] = round(float((said == bool(side))[wanted == side].mean()), 4)
    if {"no", "yes"} <= figures.keys():
        figures["balanced"] = round((figures["no"] + figures["yes"]) / 2, 4)
    return figures


def _number(scores: NDArray[Any], wanted: NDArray[Any]) -> Figures:
    figures: Figures = {"count": len(wanted)}
    if len(wanted):
        figures["error"] = round(float(np.abs(scores - wanted).mean()), 4)
    if len(wanted) > 2 and wanted.std() > 0 and scores.std() > 0:
        figures["correlation"] = round(float(np.corrcoef(scores, wanted)[0, 1]), 4)
    return figures
