"""Seed -> latent: the one definition. NumPy's RandomState, as the published tools draw it."""

import numpy as np
from numpy.typing import NDArray

SEED_LIMIT = 2**64
WORD = 2**32


def seed_to_z(seed: int, z_dim: int) -> NDArray[np.float32]:
    """The latent [1, z_dim] float32, standard normal, that belongs to `seed`.

    Seeds under 2**32 seed RandomState directly, so that "seed 85" is the face that everybody else
    calls seed 85. From 2**32 to 2**64 - 1, beyond RandomState's range, the generator is seeded with
    the array [low 32 bits, high 32 bits]. Raises ValueError outside 0..2**64 - 1.
    """
    if not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"seed is {seed}; it must be from 0 to {SEED_LIMIT - 1}")
    start = seed if seed < WORD else [seed % WORD, seed // WORD]
    return np.random.RandomState(start).randn(1, z_dim).astype(np.float32)
