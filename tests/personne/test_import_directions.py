"""personne directions import of a file of directions, as the page /teach saves it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.catalogue import open_model
from models.direction_files import to_bytes
from models.directions import Direction
from tests.personne.invoking import invoke
from tests.some_directions import some_directions, vector


@pytest.fixture
def store(tiny_model: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path / "store" / "tiny")
    return tmp_path / "store"


def refusal(store: Path, source: Path, *options: str) -> str:
    result = invoke("directions", "import", "tiny", source, *options, "--store", store)
    assert result.exit_code != 0
    return str(result.exception) + result.output


def test_directions_of_a_file_are_imported_with_what_it_says_of_them(store: Path, tmp_path: Path) -> None:
    cheerful = Direction("cheerful", "w", vector(9), unit=0.5, accuracy=0.8, method="difference of means")
    (tmp_path / "cheerful.npz").write_bytes(to_bytes([cheerful]))
    (tmp_path / "two.npz").write_bytes(to_bytes(some_directions()[:2]))
    for source, *options in (("cheerful.npz",), ("two.npz",), ("cheerful.npz", "--as", "merry")):
        result = invoke("directions", "import", "tiny", tmp_path / source, *options, "--store", store)
        assert result.exit_code == 0, f"{result.output} {result.exception}"
    known = open_model(store / "tiny", "store").directions
    assert list(known) == ["cheerful", "smile", "age", "merry"]
    assert (known["merry"].unit, known["merry"].accuracy) == (0.5, 0.8)
    assert "2 directions, each with its name" in refusal(store, tmp_path / "two.npz", "--as", "merry")
    assert "parameter of addresses" in refusal(store, tmp_path / "cheerful.npz", "--as", "mix")
    (tmp_path / "no.npz").write_bytes(b"nothing")
    assert "cannot be used" in refusal(store, tmp_path / "no.npz")
    np.save(tmp_path / "age.npy", vector(5))
    assert "--as NAME" in refusal(store, tmp_path / "age.npy")
