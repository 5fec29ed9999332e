"""All that the estimators know of a model's faces, found at once."""

import shutil
from pathlib import Path

import numpy as np

from models.catalogue import open_model
from models.direction_files import save_directions
from personne.commands.attribute_directions import ATTRIBUTES, _subsets, find_attributes
from tests.some_directions import some_directions


def test_directions_are_at_right_angles_and_others_stay(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny")
    save_directions(tmp_path / "tiny", some_directions())
    known = find_attributes(open_model(tmp_path / "tiny", "store"), "cpu", samples=200, felt_by=6)
    assert list(known) == list(open_model(tmp_path / "tiny", "store").directions)
    found = [one for one in known.values() if one.method == "interfacegan" and "of 200 faces" in one.measure]
    assert found
    assert {one.name for one in found} <= set(ATTRIBUTES)
    vectors = np.concatenate([one.vector for one in found])
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(len(found)), atol=1e-5)
    assert all("without" in one.measure and one.meaning and one.low < 0 < one.high for one in found)
    assert "hue" in known, "what has another name stays"


def test_extras_are_left_out_first() -> None:
    first, *rest = _subsets(["smile", "age", "glasses", "background"])
    assert first == ("smile", "age", "glasses", "background")
    assert set(rest[:2]) == {("smile", "age", "glasses"), ("smile", "age", "background")}
    assert rest[2] == ("smile", "age"), "rather both extras than one of the others"
