"""Several processes learn the translation that one alone would learn: the recipe's own loops, over gloo."""

import dataclasses
from pathlib import Path

import pytest

from tests.training.runs import state_of
from tests.training.test_processes import in_processes
from tests.training.translation.conftest import tiny_translation_config
from training.translation import train


@pytest.mark.parametrize("objective", ["cyclegan", "pix2pix"])
def test_two_processes_agree_with_one(objective: str, blots: Path, tmp_path: Path) -> None:
    # Of past translations each process has its own, and shows some of them at random; so has augmentation.
    alone = tiny_translation_config(
        objective,
        blots,
        tmp_path / "run",
        batch=4,
        total_images=16,
        bfloat16=False,
        pool_size=0,
        augment=(),
        state_every_images=16,
        samples_every_images=16,
        snapshot_every_images=16,
    )
    together = dataclasses.replace(alone, out=tmp_path / "together")
    train(alone)
    ran = in_processes(2, "training.translation", together, tmp_path / "child.py")
    assert ran.returncode == 0, ran.stderr[-2000:]
    one, two = state_of(alone), state_of(together)
    assert one["images_seen"] == two["images_seen"] == 16
    for name in ("generator_ab", "average_ab", "discriminator_b"):
        for key, tensor in one[name].items():
            # A bias before an instance norm changes nothing: its gradient is rounding, of which Adam makes whole steps.
            if tensor.dim() > 1:
                apart = (two[name][key] - tensor).abs()
                assert float(apart.median()) < alone.learning_rate / 100, f"{name} {key}"
                assert float(apart.max()) < 1e-3, f"{name} {key}"
