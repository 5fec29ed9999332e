"""The translation recipe: from pictures to pictures, learned from two sets or from pairs."""

import torch

from training.translation import cut, cyclegan, pix2pix
from training.translation.config import TranslationConfig
from training.translation.state import CutState, CycleState, PairState, TranslationState

__all__ = ["fresh_state", "train"]

_LOOPS = {"cyclegan": cyclegan.train, "cut": cut.train, "pix2pix": pix2pix.train}

_STATES: dict[str, type[TranslationState]] = {"cyclegan": CycleState, "cut": CutState, "pix2pix": PairState}


def fresh_state(config: TranslationConfig, device: torch.device) -> TranslationState:
    """What a run of this config begins with."""
    return _STATES[config.objective].fresh(config, device)


def train(config: TranslationConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. May be killed at any moment: called again,
    it goes on from the last state as if nothing had happened. Raises the errors of training.errors.
    """
    _LOOPS[config.objective](config)
