"""personne sample draws the faces that the service draws."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from marks.verify import verify
from models.catalogue import Catalogue, ModelEntry, open_model
from models.errors import AttributeOutOfRange, ModelCannot, NoSuchAttribute, NoSuchClass
from models.ranges import drawn_edits
from personne.commands.sample import draw_faces, parse_seeds, pattern_of, ranges_of, sample_faces
from personne.errors import BadEdits, BadMovement, BadSeeds
from tests.some_directions import catalogue_of_one, model_with_directions
from worker.config import WorkerConfig
from worker.tasks.task import stamp_for


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
    pattern = pattern_of(entry, Catalogue({"tiny": entry}), truncation_psi=None, default_psi=0.7)

    def draw(out: Path, *, grid: bool) -> None:
        sample_faces(pattern, entry, seeds="0-11", out=out, grid=grid, device="cpu")

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


def changed(tiny_model: Path, **fields: object) -> tuple[ModelEntry, Catalogue]:
    entry = open_model(tiny_model, "store")
    manifest = entry.manifest.model_copy(update={"name": "other", **fields})
    other = ModelEntry(manifest, entry.folder, "store")
    return other, Catalogue({"tiny": entry, "other": other})


def test_a_class_by_number_or_name(tiny_model: Path) -> None:
    entry, here = changed(tiny_model, c_dim=3, class_names=("cat", "dog", "2x"))
    for wanted, label in (("1", 1), ("dog", 1), ("2x", 2), (None, None)):
        assert pattern_of(entry, here, truncation_psi=None, default_psi=0.7, label=wanted).label == label
    for wanted in ("3", "horse", "-1", "01"):
        with pytest.raises(NoSuchClass, match="from 0 to 2 for model 'other', or one of: cat, dog, 2x"):
            pattern_of(entry, here, truncation_psi=None, default_psi=0.7, label=wanted)
    with pytest.raises(ModelCannot, match="'tiny' has no classes, so it takes no class; models here that do: other"):
        pattern_of(here.named("tiny"), here, truncation_psi=None, default_psi=0.7, label="0")


def test_only_stylegan3_is_turned_and_moved(tiny_model: Path) -> None:
    entry, here = changed(tiny_model, family="stylegan3")
    pattern = pattern_of(entry, here, truncation_psi=1.0, default_psi=0.7, rotate=-30, translate="0.25,-0.0")
    assert (pattern.rotate, pattern.translate_x, pattern.translate_y, pattern.truncation_psi) == (-30.0, 0.25, 0.0, 1.0)
    assert str(pattern.translate_y) == "0.0"
    with pytest.raises(ModelCannot, match=r"'tiny' cannot turn or move .* takes no rotate; models here that do: other"):
        pattern_of(here.named("tiny"), here, truncation_psi=None, default_psi=0.7, rotate=5)
    for turn, shift in (
        (181.0, None),
        (float("nan"), None),
        (None, "1"),
        (None, "0,1.5"),
        (None, "a,b"),
        (None, "0,nan"),
    ):
        with pytest.raises(BadMovement, match="degrees from -180 to 180"):
            pattern_of(entry, here, truncation_psi=None, default_psi=0.7, rotate=turn, translate=shift)


def test_what_has_no_mean_face_is_not_truncated(tiny_model: Path) -> None:
    entry, here = changed(tiny_model, family="pggan")
    assert pattern_of(entry, here, truncation_psi=None, default_psi=0.7).truncation_psi == 1.0
    with pytest.raises(ModelCannot, match="no truncation_psi; models here that do: tiny"):
        pattern_of(entry, here, truncation_psi=0.5, default_psi=0.7)


def test_files_carry_their_recipe(tiny_model: Path, tmp_path: Path) -> None:
    entry = open_model(tiny_model, "store")
    pattern = pattern_of(entry, Catalogue({"tiny": entry}), truncation_psi=None, default_psi=0.7)
    stamp = stamp_for(WorkerConfig("test"))
    sample_faces(pattern, entry, seeds="7", out=tmp_path, grid=False, device="cpu", stamp=stamp)
    recipe = verify((tmp_path / "7.png").read_bytes()).recipe
    assert recipe is not None
    assert (recipe.model, recipe.seed, recipe.digest) == ("tiny", 7, entry.manifest.digest)


def test_a_labelled_data_set_in_one_command(tiny_model: Path, tmp_path: Path) -> None:
    model_with_directions(tiny_model, tmp_path)
    here, entry = catalogue_of_one(tmp_path, tmp_path / "nothing")
    ranges = ranges_of(["smile=-2..3", "age=1"], entry)
    assert ranges == (("age", 1.0, 1.0), ("smile", -2.0, 3.0))
    pattern = pattern_of(entry, here, truncation_psi=None, default_psi=0.7)
    moved, out = replace(pattern, directions=entry.directions.digest), tmp_path / "faces"
    sample_faces(moved, entry, seeds="3,9", out=out, grid=False, device="cpu", ranges=ranges, labels=True)
    with (out / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["3.png", "9.png"]
    assert [float(row["smile"]) for row in rows] == [dict(drawn_edits(ranges, seed))["smile"] for seed in (3, 9)]
    assert {row["age"] for row in rows} == {"1.0"}
    plain = next(draw_faces(entry, [9], 0.7, device="cpu"))
    assert (np.asarray(Image.open(out / "9.png")) != plain).any()


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        (["age"], BadEdits),
        (["age=young"], BadEdits),
        (["age=1", "age=2"], BadEdits),
        (["wit=1"], NoSuchAttribute),
        (["smile=0..9"], AttributeOutOfRange),
    ],
)
def test_ranges_that_cannot_be(tiny_model: Path, tmp_path: Path, texts: list[str], error: type[Exception]) -> None:
    model_with_directions(tiny_model, tmp_path)
    with pytest.raises(error):
        ranges_of(texts, catalogue_of_one(tmp_path, tmp_path / "nothing")[1])
