"""What an edit adds to a latent, what a name may be, and what is refused."""

import numpy as np
import pytest

from models.directions import (
    Direction,
    Directions,
    DirectionsRefused,
    check_edits,
    conditioned,
    offset_of,
    unit_direction,
)
from models.errors import AttributeOutOfRange, EditRefused, NoSuchAttribute
from tests.some_directions import some_directions, vector

KNOWN = Directions(some_directions(), "0123abcd")
LAYERS = 8


def test_an_edit_is_an_offset_in_units_of_its_direction() -> None:
    offset = offset_of([("smile", 2.0)], [], KNOWN, LAYERS)
    assert offset.z is None
    assert offset.ws is not None
    np.testing.assert_allclose(offset.ws, np.repeat(vector(1), LAYERS, 0), rtol=1e-6)
    assert np.linalg.norm(offset.ws[0]) == pytest.approx(2.0 * 0.5)


def test_layers_that_stay_stay() -> None:
    offset = offset_of([("age", 1.0)], [], KNOWN, LAYERS)
    assert offset.ws is not None
    assert np.abs(offset.ws[:4]).max() > 0
    assert (offset.ws[4:] == 0).all()


def test_edits_add_up_in_both_spaces() -> None:
    together = offset_of([("age", 1.0), ("pose", -1.0), ("smile", 2.0)], [], KNOWN, LAYERS)
    alone = [offset_of([edit], [], KNOWN, LAYERS).ws for edit in (("age", 1.0), ("smile", 2.0))]
    assert together.ws is not None
    assert alone[0] is not None
    assert alone[1] is not None
    np.testing.assert_allclose(together.ws, alone[0] + alone[1], atol=1e-6)
    np.testing.assert_allclose(together.z, -2.0 * vector(4), atol=1e-6)


def test_what_is_kept_does_not_move() -> None:
    smile, hue = KNOWN["smile"].normal(LAYERS), KNOWN["hue"].normal(LAYERS)
    free = offset_of([("age", 1.0)], [], KNOWN, LAYERS).ws
    held = offset_of([("age", 1.0)], ["hue", "smile"], KNOWN, LAYERS).ws
    assert free is not None
    assert held is not None
    assert abs((free * smile).sum()) > 0.1
    assert abs((held * smile).sum()) < 1e-5
    assert abs((held * hue).sum()) < 1e-5
    assert np.linalg.norm(held) == pytest.approx(np.linalg.norm(free), rel=1e-4), "as strong as before"


def test_one_condition_is_the_papers_formula() -> None:
    n, kept = vector(7), vector(8)
    plain = n - (n @ kept.T) * kept
    np.testing.assert_allclose(conditioned(n, [kept]), plain / np.linalg.norm(plain), atol=1e-6)


def test_the_same_direction_cannot_be_kept() -> None:
    with pytest.raises(EditRefused, match="they are the same direction"):
        conditioned(vector(7), [-vector(7)], "smile")


def test_edits_are_sorted_and_what_changes_nothing_is_dropped() -> None:
    assert check_edits("tiny", KNOWN, {"smile": 1, "age": -0.5, "hue": -0.0}, ["hue", "hue"], LAYERS) == (
        (("age", -0.5), ("smile", 1.0)),
        ("hue",),
    )
    assert check_edits("tiny", KNOWN, {"smile": 0.0}, ["age"], LAYERS) == ((), ())


@pytest.mark.parametrize(
    ("edits", "keep", "error", "sentence"),
    [
        ({"smlie": 1}, [], NoSuchAttribute, "no attribute 'smlie'; it has: smile, age, hue, pose"),
        ({"smile": 1}, ["ages"], NoSuchAttribute, "no attribute 'ages'"),
        ({"smile": 3.1}, [], AttributeOutOfRange, "smile is a number from -2 to 3 for model 'tiny'.*3.1 was asked"),
        ({"smile": float("nan")}, [], AttributeOutOfRange, "nan was asked"),
        ({"smile": 1}, ["smile"], EditRefused, "smile cannot be moved and kept at once"),
        ({"smile": 1}, ["pose"], EditRefused, "smile moves in w and pose in z"),
    ],
)
def test_what_cannot_be_asked(edits: dict[str, float], keep: list[str], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        check_edits("tiny", KNOWN, edits, keep, LAYERS)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "size"}, "'size' is a parameter of addresses already"),
        ({"name": "Smile"}, "no attribute's name"),
        ({"name": "smile-2"}, "no attribute's name"),
        ({"vector": np.zeros([1, 32], np.float32)}, "empty or not finite"),
        ({"vector": np.full([1, 32], np.nan, np.float32)}, "empty or not finite"),
        ({"unit": 0.0}, "empty or not finite"),
        ({"low": 1.0}, "range of strength"),
        ({"high": float("nan")}, "range of strength"),
        ({"high": 100.0}, "range of strength"),
    ],
)
def test_what_is_no_direction(fields: dict[str, object], sentence: str) -> None:
    plain = {"name": "smile", "space": "w", "vector": vector(1)}
    with pytest.raises(DirectionsRefused, match=sentence):
        Direction(**{**plain, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "sentence"),
    [
        (Direction("a", "w", vector(1, width=16)), r"the shape \(1, 32\) or \(8, 32\); this one has \(1, 16\)"),
        (Direction("a", "w", vector(1, rows=18)), r"this one has \(18, 32\)"),
        (Direction("a", "z", vector(1, rows=8)), r"in z of this model has the shape \(1, 32\)"),
        (Direction("a", "w", vector(1), layers=(2, 9)), "layers are a range within 0 to 8"),
        (Direction("a", "z", vector(1), layers=(0, 1)), "of a direction in w"),
    ],
)
def test_a_direction_of_another_model(direction: Direction, sentence: str) -> None:
    with pytest.raises(DirectionsRefused, match=sentence):
        direction.check_fits(z_dim=32, w_dim=32, num_ws=LAYERS)


def test_the_longest_row_has_length_one() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 1.0]])
    np.testing.assert_allclose(unit_direction(rows), [[0.6, 0.8], [0.0, 0.2]], rtol=1e-6)
