"""The translation recipe: from pictures to pictures, learned from two sets or from pairs."""

from training.translation import cut, cyclegan, pix2pix
from training.translation.config import TranslationConfig

__all__ = ["train"]

_LOOPS = {"cyclegan": cyclegan.train, "cut": cut.train, "pix2pix": pix2pix.train}


def train(config: TranslationConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. May be killed at any moment: called again,
    it goes on from the last state as if nothing had happened. Raises the errors of training.errors.
    """
    _LOOPS[config.objective](config)
