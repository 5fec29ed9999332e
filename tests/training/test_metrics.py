import pytest
import torch

from training.metrics.nearest import memorisation, nearest, suspects_picture
from training.metrics.sliced_wasserstein import laplacian_pyramid, sliced_wasserstein


def pictures(count: int, seed: int, side: int = 64) -> torch.Tensor:
    """Smooth random uint8 pictures [count, 3, side, side]."""
    coarse = torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(seed)).float()
    smooth = torch.nn.functional.interpolate(coarse, side, mode="bilinear")
    return smooth.round().to(torch.uint8)


def test_a_copy_and_a_mirror_image_are_found() -> None:
    references = pictures(10, seed=0)
    samples = torch.stack([references[3], references[7].flip(2), pictures(1, seed=1)[0]])
    found = nearest(samples, references)
    assert found.index[:2].tolist() == [3, 7]
    assert found.mirrored[:2].tolist() == [False, True]
    assert found.distance[:2].tolist() == [0, 0]
    assert found.distance[2] > 20


def test_the_distance_is_rms_in_levels() -> None:
    grey = torch.full((1, 3, 64, 64), 100, dtype=torch.uint8)
    assert nearest(grey + 7, grey).distance.item() == pytest.approx(7)


def test_copies_are_nearer_than_any_stranger() -> None:
    references, strangers = pictures(20, seed=0), pictures(10, seed=1)
    half_copied = torch.cat([references[:5], pictures(5, seed=2)])
    figures = memorisation(nearest(half_copied, references), nearest(strangers, references))
    assert 0.5 <= figures["closer_than_any_test"] < 0.8
    assert figures["nearest_smallest"] == 0
    assert figures["test_nearest_smallest"] > 10


def test_the_picture_shows_suspects_above_their_neighbours() -> None:
    references = pictures(6, seed=0, side=32)
    samples = torch.stack([pictures(1, seed=3, side=32)[0], references[2].flip(2)])
    sheet = suspects_picture(samples, references, nearest(samples, references), count=2)
    assert sheet.size == (64, 64)
    # Nearest first: the mirrored copy, and its original mirrored beneath it.
    assert sheet.crop((0, 0, 32, 32)).tobytes() == sheet.crop((0, 32, 32, 64)).tobytes()


def test_the_pyramid_adds_up() -> None:
    x = torch.randn(2, 3, 64, 64)
    levels = laplacian_pyramid(x)
    assert [level.shape[2] for level in levels] == [64, 32, 16]
    flat = laplacian_pyramid(torch.full((1, 3, 64, 64), 5.0))
    assert flat[0].abs().max() < 1e-5
    torch.testing.assert_close(flat[2], torch.full((1, 3, 16, 16), 5.0))


def test_swd_is_small_within_a_distribution_and_large_across() -> None:
    one, same = pictures(16, seed=0, side=32), pictures(16, seed=1, side=32)
    noisy = (one.float() + 60 * torch.randn(one.shape, generator=torch.Generator().manual_seed(2))).clamp(0, 255)
    within, across = sliced_wasserstein(one, same), sliced_wasserstein(one, noisy)
    assert within.keys() == {32, 16}
    # Noise changes the finest level most, and structure hardly.
    assert across[32] > 1.5 * within[32]
    assert across[16] < across[32]
    assert sliced_wasserstein(one, one, seed=3)[16] < within[16]
    assert sliced_wasserstein(one, same) == within


def test_swd_of_sets_of_two_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        sliced_wasserstein(pictures(2, 0), pictures(3, 0))
