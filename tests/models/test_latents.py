import numpy as np
import pytest

from models.latents import seed_to_z


def test_seed_85_is_everybodys_seed_85() -> None:
    # RandomState's stream is frozen by NumPy's policy (NEP 19), so that these numbers are for ever.
    expected = [0.17685072, 2.3777542, 0.99873286, -1.3101507]
    np.testing.assert_array_equal(seed_to_z(85, 512)[0, :4], np.float32(expected))


@pytest.mark.parametrize(
    ("seed", "first", "last"),
    [
        (0, 1.764052391052246, 1.8675580024719238),
        (1, 1.6243454217910767, 0.8654076457023621),
        (2**32 - 1, 0.6484086513519287, 0.1138877347111702),
        (2**32, -0.20099112391471863, -0.5789147615432739),
        (2**64 - 1, 0.5128996968269348, 0.9119866490364075),
    ],
)
def test_golden_values(seed: int, first: float, last: float) -> None:
    z = seed_to_z(seed, 5)
    np.testing.assert_array_equal(z[0, [0, 4]], np.float32([first, last]))


def test_shape_type_and_repeatability() -> None:
    z = seed_to_z(7, 128)
    assert z.shape == (1, 128)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z, seed_to_z(7, 128))


def test_a_shorter_latent_is_the_beginning_of_a_longer_one() -> None:
    np.testing.assert_array_equal(seed_to_z(3, 64)[0], seed_to_z(3, 512)[0, :64])


def test_high_seeds_differ_from_the_seeds_of_their_halves() -> None:
    seeds = [5, 2**32 + 5, 5 * 2**32, 5 * 2**32 + 5]
    assert len({seed_to_z(seed, 8).tobytes() for seed in seeds}) == len(seeds)


@pytest.mark.parametrize("seed", [-1, 2**64, 2**80])
def test_a_seed_out_of_range_names_the_limit(seed: int) -> None:
    with pytest.raises(ValueError, match=str(2**64 - 1)):
        seed_to_z(seed, 8)
