"""All that is measured of a generator's pictures, each figure beside the same of real pictures.

Floors: the training pictures are halved at random, and one half is compared with the other as the samples are with it.
No generator can be expected to do better than that.
"""
# N sample, M training picture, T test picture, D feature

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from training.metrics.diversity import mean_ms_ssim
from training.metrics.encoder import FrozenEncoder
from training.metrics.kernel_distance import kernel_distance
from training.metrics.manifold import manifold_figures
from training.metrics.nearest import Neighbours, closest_ratio, memorisation, nearest, nearest_features
from training.metrics.path_length import path_length_ratio
from training.metrics.sliced_wasserstein import mean_distance, sliced_wasserstein
from training.metrics.spectrum import Spectrum, difference, spectrum

MOST_FOR_PATCHES = 1000
"""Pictures that the sliced Wasserstein distance compares: it sorts 128 patches of each."""
LEAST = 12
"""Pictures below which halves are too small for precision and recall."""


TARGETS = {
    "ms_ssim_ratio": "0.9 to 1.1",
    "swd": "at most twice its floor",
    "kid_self": "at most twice its floor",
    "closest_ratio": "at least 0.8",
}
"""What this project asks of the generator that it ships."""


@dataclass
class Report:
    """figures: by name, as a card holds them; floors: of those that have one. The rest is for drawing."""

    samples: Neighbours
    held_out: Neighbours | None = None
    figures: dict[str, float] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    levels: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Sliced Wasserstein distance and its floor, by resolution."""
    spectra: dict[str, Spectrum] = field(default_factory=dict)

    def put(self, name: str, value: float, floor: float | None = None) -> None:
        self.figures[name] = value
        if floor is not None:
            self.floors[name] = floor

    def verdicts(self) -> dict[str, bool]:
        """Whether each of TARGETS that was measured is met."""
        figures = self.figures
        met = dict[str, bool]()
        for name in ("swd", "kid_self"):
            if name in figures:
                met[name] = figures[name] <= 2 * self.floors[name]
        if "ms_ssim_ratio" in figures:
            met["ms_ssim_ratio"] = abs(figures["ms_ssim_ratio"] - 1) <= 0.1
        if "closest_ratio" in figures:
            met["closest_ratio"] = figures["closest_ratio"] >= 0.8
        return met

    def flat(self) -> dict[str, float]:
        """Figures and floors in one, as a model's manifest holds them."""
        return {**self.figures, **{f"{name}_floor": floor for name, floor in self.floors.items()}}

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "figures": self.figures,
            "floors": self.floors,
            "targets": {name: {"target": TARGETS[name], "met": met} for name, met in self.verdicts().items()},
            "swd_levels": {str(side): {"value": v, "floor": f} for side, (v, f) in self.levels.items()},
            "spectra_db": {name: one.power.tolist() for name, one in self.spectra.items()},
        }


@dataclass(frozen=True)
class Sets:
    """uint8 [., 3, R, R] of one R. samples: drawn at random; train: what the generator learnt from; test: what it never
    saw, or None. ways: four sets of pictures, for the path length: see there."""

    samples: Tensor
    train: Tensor
    test: Tensor | None = None
    ways: tuple[Tensor, Tensor, Tensor, Tensor] | None = None


def measure(sets: Sets, encoder: FrozenEncoder, step: Callable[[str], None] = lambda _: None) -> Report:
    """Every metric. `step` is told what is being done. Raises ValueError for sets that are too small."""
    if min(len(sets.samples), len(sets.train)) < LEAST:
        raise ValueError(f"{len(sets.samples)} samples and {len(sets.train)} pictures are too few; at least {LEAST}")
    step("nearest training pictures")
    report = Report(nearest(sets.samples, sets.train))
    order = torch.randperm(len(sets.train), generator=torch.Generator().manual_seed(0))
    count = min(len(sets.samples), len(sets.train) // 2)
    one, other = order[:count], order[len(order) - count :]
    step("sliced Wasserstein distance")
    _patches(report, sets.samples[:count], sets.train[one], sets.train[other])
    step("diversity and spectrum")
    _diversity(report, sets.samples, sets.train[one], sets.train[other])
    _spectra(report, sets.samples, sets.train[one], sets.train[other])
    step("features")
    samples_ND, train_MD = encoder.embed(sets.samples), encoder.embed(sets.train)
    step("kernel distance, precision, recall, density, coverage")
    distance = kernel_distance(samples_ND, train_MD)
    report.put("kid_self", distance.value, distance.floor)
    floors = manifold_figures(train_MD[other], train_MD[one])
    for name, value in manifold_figures(samples_ND[:count], train_MD[one]).items():
        report.put(name, value, floors[name])
    if sets.ways is not None:
        step("path length")
        report.put("path_length_ratio", path_length_ratio(*(encoder.embed(part) for part in sets.ways)), 1.0)
    step("photographs that it never saw")
    _neighbours(report, sets, encoder, samples_ND, train_MD)
    return report


def _patches(report: Report, samples: Tensor, one: Tensor, other: Tensor) -> None:
    samples, one, other = (part[:MOST_FOR_PATCHES] for part in (samples, one, other))
    values, floors = sliced_wasserstein(samples, one), sliced_wasserstein(other, one)
    report.levels = {side: (values[side], floors[side]) for side in values}
    report.put("swd", mean_distance(values), mean_distance(floors))


def _diversity(report: Report, samples: Tensor, one: Tensor, other: Tensor) -> None:
    real = mean_ms_ssim(one)
    report.put("ms_ssim", mean_ms_ssim(samples), real)
    report.put("ms_ssim_ratio", report.figures["ms_ssim"] / max(real, 1e-8), mean_ms_ssim(other) / max(real, 1e-8))


def _spectra(report: Report, samples: Tensor, one: Tensor, other: Tensor) -> None:
    drawn, real = spectrum(samples), spectrum(one)
    report.spectra = {"samples": drawn, "training": real}
    report.put("spectrum_slope", drawn.slope, real.slope)
    report.put("spectrum_db", difference(drawn, real), difference(spectrum(other), real))


def _neighbours(report: Report, sets: Sets, encoder: FrozenEncoder, samples_ND: Tensor, train_MD: Tensor) -> None:
    if sets.test is None:
        return
    report.held_out = nearest(sets.test, sets.train)
    report.figures |= memorisation(report.samples, report.held_out)
    mirrored_MD = encoder.embed(sets.train.flip(3))
    by_features = [nearest_features(part, train_MD, mirrored_MD) for part in (samples_ND, encoder.embed(sets.test))]
    report.put("closest_ratio_features", closest_ratio(*by_features))
