import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.dataset import load_labels, load_pictures, read_training_data
from training.errors import DatasetError

TRAIN, TEST = 20, 4


def zipped(folder: Path, archive: Path, *, index: Path | None = None, prefix: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for picture in folder.iterdir():
            file.write(picture, prefix + picture.name)
        if index is not None:
            file.write(index, "index.csv")
    return archive


def test_only_the_train_split_is_read(blots: Path) -> None:
    train, test = load_pictures(blots, 16), load_pictures(blots, 16, split="test")
    assert train.shape == (TRAIN, 3, 16, 16)
    assert train.dtype == np.uint8
    assert test.shape == (TEST, 3, 16, 16)
    # The pictures of the test split are the red ones.
    assert train[:, 0].max() < 200
    assert test[:, 0].min() > 200


@pytest.mark.parametrize("prefix", ["", "faces/128/"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_zip_equals_its_folder(blots: Path, tmp_path: Path, prefix: str, inside: bool) -> None:
    index = blots.parent / "index.csv"
    archive = zipped(blots, tmp_path / "blots.zip", index=index if inside else None, prefix=prefix)
    if not inside:
        (tmp_path / "index.csv").write_bytes(index.read_bytes())
    np.testing.assert_array_equal(load_pictures(archive, 16), load_pictures(blots, 16))


def test_an_index_may_be_called_like_its_folder(blots: Path, tmp_path: Path) -> None:
    shutil.copytree(blots, tmp_path / "blots")
    shutil.copy(blots.parent / "index.csv", tmp_path / "blots.csv")
    np.testing.assert_array_equal(load_pictures(tmp_path / "blots", 16), load_pictures(blots, 16))


def test_without_an_index_all_pictures_are_for_training(blots: Path, tmp_path: Path) -> None:
    archive = zipped(blots, tmp_path / "blots.zip")
    assert len(load_pictures(archive, 16)) == TRAIN + TEST
    with pytest.raises(DatasetError, match="test"):
        load_pictures(archive, 16, split="test")


def test_pictures_are_cropped_to_their_middle_and_resized_by_lanczos(tmp_path: Path) -> None:
    wide = Image.fromarray(np.random.RandomState(0).randint(0, 255, (40, 60, 3)).astype(np.uint8))
    wide.save(tmp_path / "wide.png")
    expected = wide.resize((16, 16), Image.Resampling.LANCZOS, box=(10, 0, 50, 40))
    difference = load_pictures(tmp_path, 16)[0].astype(int) - np.asarray(expected).transpose(2, 0, 1)
    assert abs(difference).max() <= 1


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither a folder nor a zip"):
        load_pictures(tmp_path / "missing", 16)
    with pytest.raises(DatasetError, match="holds no pictures"):
        load_pictures(tmp_path, 16)
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(DatasetError, match=r"broken\.png"):
        load_pictures(tmp_path, 16)
    (tmp_path / "index.csv").write_text("name,part\nbroken.png,train\n")
    with pytest.raises(DatasetError, match="columns"):
        load_pictures(tmp_path, 16)


def test_two_files_of_one_name_need_their_folders_in_the_index(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    archive = tmp_path / "two.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a/1.png", picture.getvalue())
        file.writestr("b/1.png", picture.getvalue())
    assert len(load_pictures(archive, 8)) == 2
    (tmp_path / "two.csv").write_text("file,split\n1.png,train\n")
    with pytest.raises(DatasetError, match="same name"):
        load_pictures(archive, 8)
    (tmp_path / "two.csv").write_text("file,split\na/1.png,train\nb/1.png,test\n")
    assert len(load_pictures(archive, 8)) == 1


def described(folder: Path, **description: object) -> Path:
    """Four grey pictures in two folders, darkest first, with a dataset.json."""
    for number in range(4):
        path = folder / f"{number // 2:05d}" / f"img{number:08d}.png"
        path.parent.mkdir(exist_ok=True, parents=True)
        Image.new("RGB", (8, 8), (number * 50,) * 3).save(path)
    (folder / "dataset.json").write_text(json.dumps(description))
    # An index beside it is of the pictures as they were before: it says nothing of these.
    (folder.parent / "index.csv").write_text("file,split\nother.png,train\n")
    return folder


NAMES = [f"{number // 2:05d}/img{number:08d}.png" for number in range(4)]


def test_labels_as_nvidia_writes_them(tmp_path: Path) -> None:
    folder = described(
        tmp_path / "set", labels=[[name, label] for name, label in zip(NAMES, [2, 0, 0, 1], strict=True)]
    )
    labels = load_labels(folder)
    assert labels is not None
    np.testing.assert_array_equal(labels.values, np.eye(3)[[2, 0, 0, 1]])
    assert labels.values.dtype == np.float32
    assert labels.names == ()
    assert load_pictures(folder, 8)[:, 0, 0, 0].tolist() == [0, 50, 100, 150]


def test_labels_may_be_vectors(tmp_path: Path) -> None:
    folder = described(tmp_path / "set", labels=[[name, [0.5, number]] for number, name in enumerate(NAMES)])
    labels = load_labels(folder)
    assert labels is not None
    np.testing.assert_array_equal(labels.values[:, 1], [0, 1, 2, 3])


def test_there_are_labels_for_all_or_none(tmp_path: Path, blots: Path) -> None:
    assert load_labels(blots) is None
    assert load_labels(described(tmp_path / "none", labels=None)) is None
    with pytest.raises(DatasetError, match=r"no label for 00001/img00000003\.png"):
        load_labels(described(tmp_path / "some", labels=[[name, 0] for name in NAMES[:3]]))
    with pytest.raises(DatasetError, match=r"dataset\.json of .*: labels"):
        load_labels(described(tmp_path / "odd", labels="none"))


def test_a_packed_set_is_of_its_own_split(tmp_path: Path) -> None:
    facts = {"split": "test", "class_names": ["a"], "training_data": [{"name": "x", "images": 4, "licence": "CC0"}]}
    folder = described(tmp_path / "set", labels=[[name, 0] for name in NAMES], personne=facts)
    assert len(load_pictures(folder, 8, "test")) == 4
    with pytest.raises(DatasetError, match="no pictures of the split 'train'"):
        load_pictures(folder, 8)
    labels = load_labels(folder, "test")
    assert labels is not None
    assert labels.names == ("a",)
    assert [data.licence for data in read_training_data(folder)] == ["CC0"]
