"""The contrastive loss of CUT, and that a generator learns what its losses ask."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from models.networks.translator import ResnetTranslator
from tests.training.translation.conftest import tiny_translation_config
from training.translation import train
from training.translation.losses import colour_difference
from training.translation.nce import (
    PatchHead,
    encode,
    feature_channels,
    feature_places,
    nce_loss,
    translate_with_features,
)


def test_the_loss_is_the_cross_entropy_of_the_own_place() -> None:
    torch.manual_seed(0)
    query, key = (F.normalize(torch.randn(2, 5, 8), dim=2) for _ in range(2))
    losses = []
    for b in range(2):
        for p in range(5):
            likeness = torch.stack([query[b, p] @ key[b, other] for other in range(5)]) / 0.07
            losses.append(torch.logsumexp(likeness, 0) - likeness[p])
    assert nce_loss([query], [key], 0.07).item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)
    assert nce_loss([key], [key], 0.07) < nce_loss([query], [key], 0.07)


def test_features_cost_nothing_extra_and_fit_the_head() -> None:
    torch.manual_seed(0)
    generator = ResnetTranslator(ngf=4, n_blocks=6)
    places = feature_places(6)
    x = torch.rand(2, 3, 16, 16)
    translated, maps = translate_with_features(generator, x, places)
    assert torch.equal(translated, generator(x))
    for own, again in zip(maps, encode(generator, x, places), strict=True):
        assert torch.equal(own, again)
    assert tuple(found.shape[1] for found in maps) == feature_channels(4, 6)
    loss = PatchHead(feature_channels(4, 6)).contrast(maps, maps, count=9, temperature=0.07)
    assert loss.isfinite()


def test_colour_difference_asks_for_the_palette_only() -> None:
    photo = torch.rand(1, 3, 32, 32)
    within = photo[..., torch.randperm(16).tolist() + list(range(16, 32))]
    assert colour_difference(within, photo) < 1e-6
    assert colour_difference(photo + 0.25, photo).item() == pytest.approx(0.25, abs=1e-5)


@pytest.mark.parametrize(("objective", "loss"), [("cyclegan", "cycle"), ("cut", "identity"), ("pix2pix", "l1")])
def test_training_lowers_its_loss(objective: str, loss: str, blots: Path, tmp_path: Path) -> None:
    config = tiny_translation_config(objective, blots, tmp_path / "run", augment=(), ngf=8, n_blocks=1)
    task = "upscale" if objective == "pix2pix" else None
    train(dataclasses.replace(config, total_images=400, log_every_images=40, learning_rate=1e-3, task=task))
    rows = [json.loads(line)[loss] for line in (config.out / "stats.jsonl").read_text().splitlines()]
    assert rows[-1] < 0.8 * rows[0]
