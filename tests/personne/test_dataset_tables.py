"""personne dataset and tables as spreadsheets write them: read, or refused in a sentence; never half of them unseen."""

import json
import unicodedata
import zipfile
from pathlib import Path

import pytest

from tests.personne.invoking import invoke
from tests.personne.test_train_refused import TINY_DCGAN, arguments
from tests.training.picture_folder import blot
from training.dataset import load_labels, load_pictures
from training.errors import DatasetError

NAMES = ("a.png", "b.png", "\u00e9.png", "sub/d.png")
KINDS = "xyxy"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures, one with an accent taken apart, as macOS writes it, and one in a folder."""
    folder = tmp_path / "set"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        blot(number, (16, 16)).save(folder / unicodedata.normalize("NFD", name))
    return folder


def packed(folder: Path, table: str, out: Path) -> list[str]:
    """The class of each picture, or what the command said where it refused."""
    (folder.parent / "people.csv").write_text(table, encoding="utf-8")
    command = ("dataset", "pack", folder, "--out", out, "--resolution", "16", "--label", "kind")
    answer = invoke(*command, "--labels", folder.parent / "people.csv")
    if answer.exception is not None:
        assert isinstance(answer.exception, DatasetError), answer.exception
        return [str(answer.exception)]
    labels = load_labels(out)
    assert labels is not None
    return [labels.names[number] for number in labels.values.argmax(axis=1)]


@pytest.mark.parametrize(
    "spelt",
    [
        lambda table: table,
        lambda table: table.replace(",", ";"),
        lambda table: table.replace(",", "\t"),
        lambda table: table.replace(",", ", ").replace("\n", " \n"),
        lambda table: "\ufeff\n" + table.replace("\n", "\r\n"),
        lambda table: table.replace("/", "\\"),
        lambda table: table.replace("\n", "\n./").removesuffix("./"),
        lambda table: table + table.partition("\n")[2],
    ],
    ids=["plain", "semicolons", "tabs", "spaces", "excel", "windows", "shell", "twice"],
)
def test_a_table_as_programs_write_it(spelt: object, pictures: Path, tmp_path: Path) -> None:
    rows = "".join(f"{name},{kind}\n" for name, kind in zip(NAMES, KINDS, strict=True))
    assert callable(spelt)
    # In the order of the names: the accent taken apart begins with an e.
    assert packed(pictures, spelt("file,kind\n" + rows), tmp_path / "out.zip") == ["x", "y", "x", "y"]


def test_tables_that_cannot_be_meant_so(pictures: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out.zip", tmp_path / "people.csv"
    said = packed(pictures, "file,kind\na.png,x\nb.png,x\na.png,y\n", out)
    assert said == [f"{table} says two different things of a.png; one of the rows is wrong"]
    said = packed(pictures, "file,kind\nset/a.png,x\nset/b.png,x\n", out)
    assert said == [f"{table} has 2 rows, none of a picture of {pictures}: it says 'set/a.png', and there is 'a.png'"]
    assert packed(pictures, "name,kind\na.png,x\n", out) == [
        f"{table} lacks a column file; its columns are: name, kind"
    ]
    assert not out.exists()


def test_several_indexes_are_not_one(pictures: Path) -> None:
    """The pictures of all but one of them were left out, and nobody was told."""
    (pictures / "more").mkdir()
    blot(9, (16, 16)).save(pictures / "more" / "e.png")
    for folder, name in (("sub", "d.png"), ("more", "e.png")):
        (pictures / folder / "index.csv").write_text(f"file,split\n{name},train\n")
    with pytest.raises(DatasetError, match=r"holds several indexes, .*: more/index.csv, sub/index.csv; put one"):
        load_pictures(pictures, 16)
    (pictures / "index.csv").write_text("file,split\nsub/d.png,train\ne.png,train\n")
    assert len(load_pictures(pictures, 16)) == 2


def test_a_folder_called_like_a_picture_and_an_entry_that_is_there_twice(pictures: Path, tmp_path: Path) -> None:
    (pictures / "folder.png").mkdir()
    assert len(load_pictures(pictures, 16)) == 4
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.write(pictures / "a.png", "a.png")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.write(pictures / "b.png", "a.png")
    assert len(load_pictures(tmp_path / "twice.zip", 16)) == 1


def test_a_name_that_is_no_utf8_is_packed(pictures: Path, tmp_path: Path) -> None:
    """The zip was written, and nothing could read it."""
    (pictures / "a.png").rename(pictures / b"\xff.png".decode("utf-8", "surrogateescape"))
    answer = invoke("dataset", "pack", pictures, "--out", tmp_path / "out.zip", "--resolution", "16")
    assert answer.exit_code == 0, answer.exception
    assert len(load_pictures(tmp_path / "out.zip", 16)) == 4


def test_a_name_that_is_no_utf8_cannot_be_in_an_index(pictures: Path) -> None:
    (pictures / "a.png").rename(pictures / b"\xff.png".decode("utf-8", "surrogateescape"))
    answer = invoke("dataset", "split", pictures, "--test", "0.5")
    assert isinstance(answer.exception, DatasetError)
    assert r"the name of \xff.png is no UTF-8" in str(answer.exception)
    assert not list(pictures.glob("**/index.csv"))


def test_somebody_has_to_be_trained_on(pictures: Path) -> None:
    answer = invoke("dataset", "split", pictures, "--test", "1")
    assert "none left to train on" in str(answer.exception)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        # Python counts -1 from the end: these were of the last class.
        ([-1, 0, 1], "has the label -1; classes are numbered from 0 to 9,999 at most"),
        ([1987, 19_870_611, 0], "has the label 19870611; classes are numbered from 0 to 9,999 at most"),
        ([[1, 0], [1], [0, 1]], "are vectors of 1 and 2 numbers; all must be as long"),
        ([[], [], []], "are vectors of 0 numbers; all must be as long"),
        ([0, [0, 1], 1], "are numbers of classes and some are vectors"),
    ],
)
def test_labels_that_are_none(labels: list[object], sentence: str, pictures: Path, tmp_path: Path) -> None:
    archive = tmp_path / "labelled.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(len(labels)):
            file.write(pictures / "a.png", f"{number}.png")
        file.writestr("dataset.json", json.dumps({"labels": [[f"{n}.png", label] for n, label in enumerate(labels)]}))
    answer = invoke(*arguments("dcgan", archive, tmp_path / "run", *TINY_DCGAN, "conditional=true"))
    assert isinstance(answer.exception, DatasetError), answer.exception
    assert sentence in str(answer.exception)
