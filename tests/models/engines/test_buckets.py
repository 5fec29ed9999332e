import numpy as np
import pytest

from models.engines.buckets import (
    CPU_BATCH_SIZES,
    GPU_BATCH_SIZES,
    Sides,
    default_batch_sizes,
    goes,
    item_count,
    pad,
    padded_size,
    share_size,
)


def test_a_gpu_has_few_sizes_and_the_cpu_each_up_to_its_largest() -> None:
    assert default_batch_sizes("cuda:1") == default_batch_sizes("tensorrt:0") == GPU_BATCH_SIZES
    assert default_batch_sizes("cpu") == CPU_BATCH_SIZES == (1, 2, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (32, 32)])
def test_a_batch_is_padded_to_the_next_bucket(count: int, size: int) -> None:
    assert padded_size(count, GPU_BATCH_SIZES) == size


@pytest.mark.parametrize("count", CPU_BATCH_SIZES)
def test_no_batch_is_padded_on_the_cpu(count: int) -> None:
    assert padded_size(count, CPU_BATCH_SIZES) == count


def test_padding_repeats_the_last_item() -> None:
    assert pad(np.array([[1, 2], [3, 4]]), 4).tolist() == [[1, 2], [3, 4], [3, 4], [3, 4]]


def test_what_needs_no_padding_is_only_made_contiguous() -> None:
    every_other = np.arange(8)[::2]
    assert pad(every_other, 4).flags.c_contiguous
    assert pad(every_other, 4).tolist() == [0, 2, 4, 6]


def test_more_items_than_the_largest_size_run_in_several_goes() -> None:
    assert [(part.start, part.stop) for part in goes(70, 32)] == [(0, 32), (32, 64), (64, 70)]


@pytest.mark.parametrize(("count", "size"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_a_batch_is_shared_out_evenly(count: int, size: int) -> None:
    assert share_size(count, abreast=4) == size


@pytest.mark.parametrize("lengths", [(2, 3), (0, 0)])
def test_inputs_must_agree_in_their_items(lengths: tuple[int, int]) -> None:
    inputs = {name: np.zeros([length, 4]) for name, length in zip("ab", lengths, strict=True)}
    with pytest.raises(ValueError, match="same number of items, at least 1"):
        item_count(inputs)


def test_free_axes_get_the_next_multiple_that_their_names_ask_for() -> None:
    sides = Sides(smallest=10, usual=100, largest=1000)
    assert sides.sized([3, "4*height", "width", None]) == [3, 100, 100, 100]
    assert sides.sized(["64*height"], "smallest") == [64]
    assert sides.sized(["64*height"], "largest") == [1024]
    assert sides.sized([]) == []
