"""personne sample draws the faces that the service draws."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.contract import PictureFormat
from models.catalogue import open_model
from personne.commands.sample import draw_faces, parse_seeds, sample_faces
from personne.errors import BadSeeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", [7]),
        ("0-3", [0, 1, 2, 3]),
        ("1, 5,9-11", [1, 5, 9, 10, 11]),
        ("18446744073709551615", [2**64 - 1]),
    ],
)
def test_seeds(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3-1", "-4", "1,,2", "18446744073709551616", "0-99999999999"])
def test_what_is_no_list_of_seeds(text: str) -> None:
    with pytest.raises(BadSeeds, match="is no list of seeds: write 0-63"):
        parse_seeds(text)


def test_files_and_sheet_show_the_same_faces(tiny_model: Path, tmp_path: Path) -> None:
    entry = open_model(tiny_model, "store")

    def draw(out: Path, *, grid: bool) -> None:
        sample_faces(
            entry,
            seeds="0-11",
            out=out,
            truncation_psi=0.7,
            picture_format=PictureFormat.PNG,
            grid=grid,
            device="cpu",
        )

    draw(tmp_path / "faces", grid=False)
    draw(tmp_path / "sheet.png", grid=True)
    assert sorted(int(path.stem) for path in (tmp_path / "faces").iterdir()) == list(range(12))
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 * 32, 10 * 32, 3)
    eleventh = np.asarray(Image.open(tmp_path / "faces" / "11.png"))
    assert (sheet[32:64, 32:64] == eleventh).all()
    assert (sheet[32:64, 64:] == 255).all(), "missing places are white"


def test_a_seed_alone_is_the_seed_in_company(tiny_model: Path) -> None:
    entry = open_model(tiny_model, "store")
    many = list(draw_faces(entry, range(20), 0.7, device="cpu"))
    (alone,) = draw_faces(entry, [13], 0.7, device="cpu")
    assert np.abs(many[13].astype(int) - alone.astype(int)).max() <= 1
