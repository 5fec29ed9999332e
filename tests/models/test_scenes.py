"""The drawn pictures that show what a translator does."""

import numpy as np
import pytest

from models.scenes import scenes


@pytest.mark.parametrize("side", [128, 256])
def test_four_different_pictures_always_the_same(side: int) -> None:
    first, second = scenes(side), scenes(side)
    assert [picture.shape for picture in first] == [(side, side, 3)] * 4
    assert {picture.dtype for picture in first} == {np.dtype(np.uint8)}
    for one, again in zip(first, second, strict=True):
        assert np.array_equal(one, again)
        assert one.std() > 20, "a picture, not a plane"
    assert len({picture.tobytes() for picture in first}) == 4
