"""personne dataset: from a folder of pictures to a zip that trains, with its licence in the run."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from personne.errors import AlreadyThere
from tests.personne.invoking import invoke
from tests.training.picture_folder import blot, write_csv
from training.dataset import load_labels, load_pictures
from training.errors import DatasetError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twenty pictures of ten people, one twice and one broken, and people.csv beside them."""
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(20):
        blot(number).save(folder / f"{number:02d}.png")
    blot(19).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "again.png")
    (folder / "broken.png").write_bytes(b"no picture")
    rows = [
        {"file": f"{number:02d}.png", "person": str(number // 2), "kind": "ab"[number % 2] if number else ""}
        for number in range(20)
    ]
    write_csv(tmp_path / "people.csv", rows)
    return folder


def test_inspect_says_what_is_wrong(pictures: Path, tmp_path: Path) -> None:
    said = invoke("dataset", "inspect", pictures, "--smallest", "80", "--out", tmp_path / "report.json")
    assert said.exit_code == 0, said.output
    assert "22 pictures; sides 64 to 64 pixels" in said.stdout
    assert "1 cannot be read: broken.png" in said.stdout
    assert "21 under 80 pixels" in said.stdout
    assert "1 groups of one picture: 19.png = again.png" in said.stdout
    assert json.loads((tmp_path / "report.json").read_text())["broken"].keys() == {"broken.png"}
    (pictures / "broken.png").unlink()
    (pictures / "again.png").unlink()
    assert "Nothing is wrong" in invoke("dataset", "inspect", pictures).stdout


def test_inspect_tells_pictures_that_are_unlike_their_mirror_images(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(40):
        Image.blend(blot(number), blot(99), 0.5).save(folder / f"{number:02d}.png")
    said = invoke("dataset", "inspect", folder)
    assert "unlike their mirror images" in said.stdout
    assert "--set mirror=false" in said.stdout
    for path in sorted(folder.glob("*.png"))[::2]:
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    assert "mirror" not in invoke("dataset", "inspect", folder).stdout


def test_a_damaged_exif_leaves_the_picture_as_it_is(tmp_path: Path) -> None:
    """A number that is a text, and a quarter turn: Pillow cannot write it again."""
    fields = b"\x01\x01\0\x02\0\0\0\x04abc\0" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
    folder = tmp_path / "set"
    folder.mkdir()
    blot(0, (80, 64)).save(folder / "0.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + fields + bytes(4))
    said = invoke("dataset", "inspect", folder)
    assert said.exit_code == 0, said.output
    assert "sides 64 to 64" in said.stdout
    assert "cannot be read" not in said.stdout


def test_damaged_zips_are_named(pictures: Path, tmp_path: Path) -> None:
    (pictures / "broken.png").unlink()
    whole, out = tmp_path / "whole.zip", tmp_path / "out.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(pictures.glob("*.png")):
            archive.write(path, path.name)
        inside = archive.getinfo("03.png").header_offset
    content = whole.read_bytes()
    directory = content.rfind(b"PK\x01\x02")
    whole.write_bytes(content[:directory] + b"XX" + content[directory + 2 :])
    for command in (("inspect", whole), ("pack", whole, "--out", out, "--resolution", "16"), ("split", whole)):
        refused = invoke("dataset", *command).exception
        assert isinstance(refused, DatasetError), command
        assert f"{whole} is a damaged zip: " in str(refused)
    # Of the packed picture itself, behind its header.
    whole.write_bytes(content[: inside + 40] + b"\xff" * 30 + content[inside + 70 :])
    said = invoke("dataset", "inspect", whole)
    assert said.exit_code == 0, said.output
    assert "1 cannot be read: 03.png" in said.stdout


def test_a_row_with_too_many_fields(pictures: Path, tmp_path: Path) -> None:
    index = tmp_path / "set.csv"
    index.write_text("file,split,person\n00.png,train,a\n01.png,train,b,surplus\n")
    pack = ("dataset", "pack", pictures, "--out", tmp_path / "x.zip", "--resolution", "16")
    refused = invoke(*pack, "--label", "nosuch").exception
    assert isinstance(refused, DatasetError)
    assert "no column 'nosuch' for labels; there are: person" in str(refused)


def test_grey_of_sixteen_bits_keeps_its_levels(tmp_path: Path) -> None:
    folder, out = tmp_path / "grey", tmp_path / "grey.zip"
    folder.mkdir()
    levels = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    Image.fromarray(levels).save(folder / "0.png")
    said = invoke("dataset", "pack", folder, "--out", out, "--resolution", "64")
    assert said.exit_code == 0, said.output
    for source in (folder, out):
        found = load_pictures(source, 64)
        np.testing.assert_array_equal(found[0], np.broadcast_to(levels // 257, (3, 64, 64)))


def test_split_then_pack(pictures: Path, tmp_path: Path) -> None:
    split = ("dataset", "split", pictures, "--labels", tmp_path / "people.csv", "--test", "0.3")
    said = invoke(*split)
    assert said.exit_code == 0, said.output
    assert "15 pictures to train on and 6 held out, 1 groups of duplicates" in said.stdout
    assert isinstance(invoke(*split).exception, AlreadyThere)
    assert invoke(*split, "--force").exit_code == 0
    clean = invoke("dataset", "inspect", pictures).stdout
    assert "train 15, test 6" in clean
    assert "both sides" not in clean

    out = tmp_path / "train.zip"
    pack = ("dataset", "pack", pictures, "--out", out, "--resolution", "16", "--licence", "CC0-1.0", "--name", "Blots")
    said = invoke(*pack, "--label", "kind")
    assert said.exit_code == 0, said.output
    packed = load_pictures(out, 16)
    assert f"{len(packed)} pictures of 16x16 are in {out}." in said.stdout
    labels = load_labels(out)
    assert labels is not None
    assert labels.names == ("a", "b")
    assert len(labels.values) == len(packed)
    assert f"Classes: a {int(labels.values[:, 0].sum())}, b {int(labels.values[:, 1].sum())}." in said.stdout
    assert isinstance(invoke(*pack).exception, AlreadyThere)

    held_out = tmp_path / "test.zip"
    assert invoke(*pack[:4], held_out, *pack[5:], "--split", "test").exit_code == 0
    together = np.concatenate([load_pictures(pictures, 16, split) for split in ("train", "test")])
    assert len(load_pictures(held_out, 16, "test")) + len(packed) <= len(together)
    with pytest.raises(DatasetError, match="no pictures of the split 'train'"):
        load_pictures(held_out, 16)


def test_pack_leaves_out_what_is_no_use(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.zip"
    said = invoke("dataset", "pack", pictures, "--out", out, "--resolution", "32").stdout
    assert "1 left out that cannot be read: broken.png" in said
    assert "1 left out that are there already: again.png" in said
    assert f"20 pictures of 32x32 are in {out}." in said
    assert "no licence" in said
    again = tmp_path / "again.zip"
    assert "20 pictures" in invoke("dataset", "pack", out, "--out", again, "--resolution", "32").stdout
    np.testing.assert_array_equal(load_pictures(out, 32), load_pictures(again, 32))
    refused = invoke("dataset", "pack", pictures, "--out", tmp_path / "x.zip", "--resolution", "32", "--label", "age")
    assert "no column 'age'" in str(refused.exception)
    assert not (tmp_path / "x.zip").exists()


def test_a_run_remembers_what_it_learnt_from(pictures: Path, tmp_path: Path) -> None:
    out, run = tmp_path / "all.zip", tmp_path / "run"
    invoke("dataset", "pack", pictures, "--out", out, "--resolution", "16", "--name", "Blots", "--licence", "CC0-1.0")
    learn = ("train", "faces", "--data", out, "--resolution", "16", "--out", run, "--images", "4", "--batch", "4")
    said = invoke(*learn, "--device", "cpu")
    assert said.exit_code == 0, said.output
    recorded = json.loads((run / "data.json").read_text())
    assert recorded == [{"name": "Blots", "images": 20, "licence": "CC0-1.0", "attribution": ""}]
    said = invoke("export", run, "--name", "blots", "--store", tmp_path / "store")
    assert said.exit_code == 0, said.output
    assert "- Blots: 20 pictures, CC0-1.0." in (tmp_path / "store" / "blots" / "card.md").read_text()
