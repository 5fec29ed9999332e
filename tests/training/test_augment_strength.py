"""The adaptive strength of augmentation, as several processes and a GPU have it."""

from collections.abc import Iterable

import pytest
import torch
from torch import Tensor

from training.augment_strength import AdaptiveStrength
from training.config import TrainingConfig
from training.processes import Processes


def test_what_waits_is_of_all_processes(tiny: TrainingConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process alone writes the state: all went on with its own signs, and came to another strength."""

    def average(tensors: Iterable[Tensor]) -> None:
        # With a fellow that guesses the other way.
        for tensor in tensors:
            tensor.zero_()

    with Processes(tiny) as processes:
        monkeypatch.setattr(processes, "average", average)
        strength = AdaptiveStrength(0.5, 0.6, 1000)
        strength.observe(torch.ones(4, 1), 0, 8, processes)
    assert strength.state_dict()["waiting"] == [0.0]


def test_a_run_on_another_device_goes_on_with_what_waits(tiny: TrainingConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs are loaded onto the CPU, and the next lies on a GPU: stacking them ended a run after every resume between
    two moves. Meta stands for the GPU, and tells no numbers."""
    strength = AdaptiveStrength(0.5, 0.6, 1000)
    strength.load_state_dict({"value": 0.5, "sign": 0.0, "waiting": [0.5, 0.5, 0.5]})
    monkeypatch.setattr(torch.Tensor, "__float__", lambda _: 1.0)
    with Processes(tiny) as processes:
        strength.observe(torch.ones(4, 1, device="meta"), 3, 8, processes)
    assert strength.value == pytest.approx(0.5 + 8 * 4 / 1000)
