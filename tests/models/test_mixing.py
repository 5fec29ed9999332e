"""Style mixing as addresses have it: read, written, refused."""

import pytest

from models.errors import MixRefused
from models.mixing import Mixes, mix_text, mixes_of, neighbour_of
from tests.app.service import manifest

TEN_LAYERS = manifest()


@pytest.mark.parametrize(
    ("text", "mixes", "written"),
    [
        ("9:0-3", ((9, 0, 3, 1.0),), "9:0-3"),
        ("9:4-9,18446744073709551615:0", ((2**64 - 1, 0, 0, 1.0), (9, 4, 9, 1.0)), "18446744073709551615:0,9:4-9"),
        ("9:7-7", ((9, 7, 7, 1.0),), "9:7"),
        ("9:0-9:0.35", ((9, 0, 9, 0.35),), "9:0-9:0.35"),
        ("9:2:0.50,4:3:1", ((9, 2, 2, 0.5), (4, 3, 3, 1.0)), "9:2:0.5,4:3"),
    ],
)
def test_a_mix_is_read_and_written(text: str, mixes: Mixes, written: str) -> None:
    assert mixes_of(text, TEN_LAYERS) == mixes
    assert mix_text(mixes) == written
    assert mixes_of(written, TEN_LAYERS) == mixes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9", "'9' is not written so"),
        ("9:0-3,", "not written so"),
        ("09:1", "not written so"),
        ("9:٣", "not written so"),
        ("9:0-10", "it has no layers 0-10"),
        ("9:3-1", "it has no layers 3-1"),
        ("9:0-3,4:3", "layer 3 comes twice"),
        ("9:0-3:0", "not written so"),
        ("9:0-3:0.0", "0 leads nowhere"),
        ("9:0-3:1.5", "not written so"),
        ("18446744073709551616:0", "is no seed"),
    ],
)
def test_what_is_no_mix_is_refused_with_the_layers(text: str, why: str) -> None:
    with pytest.raises(MixRefused, match=why) as refusal:
        mixes_of(text, TEN_LAYERS)
    assert "layers from 0 to 9 for model 'faces'" in str(refusal.value)
    assert refusal.value.limit == {"minimum": 0, "maximum": 9}


def test_neighbours_are_always_the_same_and_all_others() -> None:
    some = [neighbour_of(7, number, TEN_LAYERS) for number in range(50)]
    assert some == [neighbour_of(7, number, TEN_LAYERS) for number in range(50)]
    assert len({mixes[0][0] for mixes in some}) == 50
    assert neighbour_of(8, 0, TEN_LAYERS) != some[0]
    assert {mixes[0][1:] for mixes in some} == {(0, 9, 0.35)}
    assert mixes_of(mix_text(some[0]), TEN_LAYERS) == some[0]
