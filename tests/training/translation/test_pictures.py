"""Crops: at several scales, in an order that knows no state; the pool that remembers; pairs made of pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch

from training.errors import DatasetError
from training.translation.image_pool import ImagePool
from training.translation.pairs import TASKS, edges, grey
from training.translation.pictures import CroppedPictures, Picture, load_any_shape

CPU = torch.device("cpu")


def ramp(height: int, width: int, blue: int = 0) -> Picture:
    """Red grows to the right, green downward: a crop tells where it is from."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 255, width)
    picture[..., 1] = np.linspace(0, 255, height)[:, None]
    picture[..., 2] = blue
    return picture


def cropped(pictures: list[Picture], number: int = 0, smallest: float = 0.5, **also: object) -> CroppedPictures:
    return CroppedPictures(pictures, crop=8, smallest=smallest, seed=(3, number), device=CPU, **also)


def test_a_batch_is_a_function_of_images_seen() -> None:
    pictures = cropped([ramp(40, 60), ramp(50, 30)])
    together = pictures.batch(6, 4)
    assert together.shape == (4, 3, 8, 8)
    assert -1 <= together.min() < together.max() <= 1
    torch.testing.assert_close(torch.cat([pictures.batch(6, 1), pictures.batch(7, 3)]), together)
    assert not torch.equal(pictures.batch(7, 4), together)
    assert not torch.equal(cropped([ramp(40, 60), ramp(50, 30)], number=1).batch(6, 4), together)


def test_each_picture_comes_once_an_epoch() -> None:
    pictures = cropped([ramp(16, 16, blue) for blue in (0, 85, 170, 255)])
    for epoch in range(3):
        blues = pictures.batch(4 * epoch, 4)[:, 2].mean(dim=(1, 2))
        assert blues.sort().values.tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1], abs=1e-4)


def test_crops_are_of_several_scales_and_mirrored() -> None:
    crops = cropped([ramp(32, 32)]).batch(0, 200)
    slopes = crops[:, 0, 0, -1] - crops[:, 0, 0, 0]
    assert 70 < (slopes < 0).sum() < 130
    # A crop of half the side spans half of the red ramp, one of the whole side all of it (but half a pixel).
    extent = slopes.abs()
    assert extent.min() < 1.0
    assert extent.max() > 1.6
    whole = cropped([ramp(32, 32)], smallest=1.0).batch(0, 20)
    assert (whole[:, 0, 0, -1] - whole[:, 0, 0, 0]).abs().min() > 1.6


def test_a_share_of_the_draws_is_of_the_other_pictures() -> None:
    crops = cropped([ramp(16, 16, 0)], also=[ramp(16, 16, 255)], also_share=0.25).batch(0, 400)
    assert 0.18 < (crops[:, 2].mean(dim=(1, 2)) > 0).float().mean() < 0.32


def test_samples_are_spread_over_the_pictures_and_end_with_the_others() -> None:
    main, other = [ramp(16, 20, blue) for blue in range(0, 100, 10)], [ramp(16, 16, 255)] * 5
    blues = (cropped(main, also=other, also_share=0.1).centres(6)[:, 2, 0, 0] + 1) * 127.5
    assert blues.tolist() == pytest.approx([0, 20, 40, 60, 80, 255], abs=1e-3)
    assert len(cropped(main).centres(99)) == 10


def test_pictures_of_any_shape_are_bounded(blots: Path, tmp_path: Path) -> None:
    assert {picture.shape for picture in load_any_shape(blots, 18, 8)} == {(18, 18, 3)}
    assert {picture.shape for picture in load_any_shape(blots, 99, 32)} == {(32, 32, 3)}
    every, some = load_any_shape(blots, 24, 8), load_any_shape(blots, 24, 8, at_most=5)
    assert (len(every), len(some)) == (20, 5)
    assert all(np.array_equal(some[i], every[4 * i]) for i in range(5))
    with pytest.raises(DatasetError, match="no pictures"):
        load_any_shape(tmp_path, 24, 8)


def test_the_pool_gives_back_half_of_the_past() -> None:
    torch.manual_seed(0)
    pool = ImagePool(10)
    first = torch.arange(10.0).view(10, 1, 1, 1)
    assert torch.equal(pool.exchange(first), first)
    given = pool.exchange(torch.arange(10.0, 210.0).view(200, 1, 1, 1)).flatten()
    fresh = given == torch.arange(10.0, 210.0)
    assert 0.4 < fresh.float().mean() < 0.6
    assert len(given.unique()) == 200
    copied = ImagePool(10)
    copied.load_state_dict(pool.state_dict())
    assert torch.equal(torch.stack(copied.pictures), torch.stack(pool.pictures))
    assert torch.equal(ImagePool(0).exchange(first), first)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_makes_an_input_of_its_size(name: str) -> None:
    torch.manual_seed(0)
    x, task = torch.rand(5, 3, 16, 24) * 2 - 1, TASKS[name]
    given = task.make_input(x)
    assert given.shape == (5, task.input_nc, 16, 24)
    assert -1 <= given.min() <= given.max() <= 1
    assert not torch.equal(given[:, :3], x)


def test_what_the_tasks_take_away() -> None:
    torch.manual_seed(0)
    x = torch.rand(50, 3, 40, 20) * 1.8 - 0.9
    given = TASKS["inpaint"].make_input(x)
    hole = given[:, 3:] > 0
    shares = hole.float().mean(dim=(1, 2, 3))
    assert 0.2**2 * 0.7 < shares.min() < shares.max() < 0.6**2 * 1.3
    assert torch.equal(given[:, :3] * ~hole, x * ~hole)
    assert float((given[:, :3] - x)[hole.expand(-1, 3, -1, -1)].abs().mean()) > 0.3, "of noise nothing is guessed"
    composed = TASKS["inpaint"].compose(given, torch.full_like(x, 5.0))
    assert torch.equal(composed, torch.where(hole, torch.tensor(5.0), x))
    grey_input = TASKS["colourise"].make_input(x)
    assert torch.equal(grey_input[:, :1], grey_input[:, 2:])
    torch.testing.assert_close(grey(grey_input), grey(x))
    flat = torch.zeros(1, 3, 16, 16)
    assert edges(flat).max() == 0
    flat[..., 8:] = 1.0
    assert int(edges(flat)[0, 0, 8].argmax()) in {7, 8}
    smooth = TASKS["upscale"].make_input(x)
    assert smooth.diff(dim=3).abs().mean() < 0.4 * x.diff(dim=3).abs().mean()
