"""Duplicates are found, splits keep people on one side, zips are as StyleGAN's tools read them."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from models.manifest import TrainingData
from tests.training.picture_folder import blot
from training.dataset import load_labels, load_pictures, read_training_data
from training.errors import DatasetError
from training.inspection import inspect, look_at
from training.likeness import perceptual_hash, same_pictures
from training.packing import classes, read_sources, training_data, write_zip
from training.picture_files import Passport, opened_files
from training.splitting import split_pictures, write_index


def compressed(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.resize((40, 40), Image.Resampling.LANCZOS).save(file, "JPEG", quality=70)
    return Image.open(file)


def test_copies_are_found_and_strangers_are_not() -> None:
    strangers = [blot(number) for number in range(30)]
    copies = [
        compressed(strangers[3]),
        ImageEnhance.Brightness(strangers[3]).enhance(1.2),
        strangers[7].transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        strangers[7].transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    ]
    groups = same_pictures([perceptual_hash(picture) for picture in [*strangers, *copies]])
    assert groups == [[3, 30, 31], [7, 32]], "upside down is another picture"
    assert same_pictures([]) == []


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = [perceptual_hash(blot(number % 5)) for number in range(12)]
    whole = same_pictures(hashes)
    monkeypatch.setattr("training.likeness.BLOCK", 3)
    assert same_pictures(hashes) == whole
    assert [len(group) for group in whole] == [3, 3, 2, 2, 2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six good pictures, and one of every fault."""
    folder = tmp_path / "set"
    (folder / "more").mkdir(parents=True)
    for number in range(6):
        blot(number).save(folder / f"{number}.png")
    blot(2, (96, 96)).save(folder / "more" / "again.png")
    blot(10, (20, 20)).save(folder / "tiny.png")
    blot(11, (90, 64)).save(folder / "wide.jpg")
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_every_fault_is_reported(folder: Path) -> None:
    seen: list[int] = []
    with opened_files(folder) as files:
        found = inspect(files, look_at(files, files.names, seen.append), smallest=32)
    assert found.pictures == sum(seen) == 10
    assert list(found.broken) == ["broken.png"]
    assert found.tiny == ["tiny.png"]
    assert found.not_square == ["wide.jpg"]
    assert found.duplicates == [["more/again.png", "2.png"]], "the larger first"
    assert found.sides == (20, 64, 96)
    assert json.loads(json.dumps(found.to_plain()))["sides"]["median"] == 64


def test_what_lies_on_both_sides_of_a_split(folder: Path) -> None:
    lines = [
        "file,split,person",
        "0.png,train,ann",
        "1.png,test,ann",
        "2.png,train,bob",
        "again.png,test,",
        "3.png,test,",
    ]
    (folder.parent / "set.csv").write_text("\n".join(lines))
    with opened_files(folder) as files:
        found = inspect(files, look_at(files, files.names))
    assert found.splits == {"train": 2, "test": 3}
    assert found.crossing == [["more/again.png", "2.png"], ["0.png", "1.png"]]


def test_a_split_keeps_together_what_belongs_together() -> None:
    names = [f"{number}.png" for number in range(40)]
    # Persons of four pictures; the last picture of each is the first of the next one's, so that two persons are one.
    rows = {name: {"file": name, "person": str(number // 4)} for number, name in enumerate(names[:32])}
    duplicates = [["3.png", "4.png"], ["20.png", "35.png"]]
    splits = split_pictures(names, duplicates, rows, share=0.3, seed=1)
    assert list(splits) == names
    for number in range(8):
        assert len({splits[name] for name in names[4 * number : 4 * number + 4]}) == 1
    assert splits["0.png"] == splits["7.png"]
    assert splits["20.png"] == splits["35.png"]
    assert 8 <= list(splits.values()).count("test") <= 12
    assert split_pictures(names, duplicates, rows, share=0.3, seed=1) == splits
    assert split_pictures(names, duplicates, rows, share=0.3, seed=2) != splits
    with pytest.raises(DatasetError, match="larger share"):
        split_pictures(names[:4], [], rows, share=0.5)


def test_an_index_keeps_what_was_known(tmp_path: Path) -> None:
    write_index(
        tmp_path / "i.csv", {"a.png": "test", "b.png": "train"}, {"a.png": {"file": "x", "split": "", "age": "7"}}
    )
    assert (tmp_path / "i.csv").read_text().splitlines() == ["file,split,age", "a.png,test,7", "b.png,train,"]


def test_a_zip_as_stylegan_reads_it(folder: Path, tmp_path: Path) -> None:
    names = ["0.png", "wide.jpg", "more/again.png"]
    facts = (TrainingData(name="blots", images=3, licence="CC0"),)
    passport = Passport(split="test", resolution=16, class_names=("a", "b"), training_data=facts)
    with opened_files(folder) as files:
        for path in (tmp_path / "one.zip", tmp_path / "two.zip"):
            write_zip(path, files, names, passport, labels={"0.png": 1, "wide.jpg": 0, "more/again.png": 1})
    one = tmp_path / "one.zip"
    assert one.read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(one) as archive:
        entries = [entry for entry in archive.namelist() if entry.endswith(".png")]
        assert entries == [f"00000/img{number:08d}.png" for number in range(3)]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(archive.read("dataset.json"))["labels"] == [
            [entry, n] for entry, n in zip(entries, (1, 0, 1), strict=True)
        ]
        with Image.open(archive.open(entries[1])) as picture:
            assert (picture.size, picture.mode, picture.format) == ((16, 16), "RGB", "PNG")
    (folder / "broken.png").unlink()
    np.testing.assert_array_equal(load_pictures(one, 16, "test")[0], load_pictures(folder, 16)[0])
    labels = load_labels(one, "test")
    assert labels is not None
    np.testing.assert_array_equal(labels.values, [[0, 1], [1, 0], [0, 1]])
    assert labels.names == ("a", "b")
    assert read_training_data(one) == facts


def test_a_zip_appears_whole_or_not_at_all(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "set.zip"
    with opened_files(folder) as files, pytest.raises(DatasetError, match=r"broken\.png"):
        write_zip(out, files, ["0.png", "broken.png"], Passport(resolution=16))
    assert list(out.parent.iterdir()) == []


def test_classes_come_from_a_column() -> None:
    rows = {"a": {"age": "10"}, "b": {"age": "9"}, "c": {"age": ""}}
    assert classes(["a", "b", "c"], rows, "age", None) == ({"a": 1, "b": 0}, ("9", "10"))
    assert classes(["a", "b", "c"], rows, "age", "unknown") == ({"a": 0, "b": 1, "c": 2}, ("10", "9", "unknown"))
    with pytest.raises(DatasetError, match="no column 'gender' for labels; there are: age"):
        classes(["a"], rows, "gender", None)


def test_licence_and_origin_by_source(tmp_path: Path) -> None:
    (tmp_path / "sources.json").write_text('{"press": {"name": "Press pictures", "licence": "CC BY 4.0"}}')
    rows = {"a": {"source": "press"}, "b": {"source": "press"}, "c": {"source": "own", "licence": "CC0"}, "d": {}}
    otherwise = TrainingData(name="set", images=0, licence="not stated")
    assert training_data(list("abcd"), rows, read_sources(tmp_path / "sources.json"), otherwise) == (
        TrainingData(name="Press pictures", images=2, licence="CC BY 4.0"),
        TrainingData(name="own", images=1, licence="CC0"),
        TrainingData(name="set", images=1, licence="not stated"),
    )
    for text in ("[]", '{"press": 1}', '{"press": {"name": "x"}}', "{"):
        (tmp_path / "sources.json").write_text(text)
        with pytest.raises(DatasetError, match=r"sources\.json"):
            read_sources(tmp_path / "sources.json")
