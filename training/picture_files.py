"""The pictures of a folder or zip as files: their names, their bytes, and what is known of each.

What is known comes from an index.csv (a row a picture; columns `file`, `split` and any others) or from a dataset.json,
as NVIDIA's StyleGAN tools write it into their zips: {"labels": [["00000/img00000000.png", 3], ...]}.
"""

import contextlib
import csv
import io
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from models.manifest import TrainingData
from training.errors import DatasetError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
INDEX_NAME = "index.csv"
DESCRIPTION_NAME = "dataset.json"
TRAIN, TEST = "train", "test"

Row = dict[str, str]


class Passport(BaseModel):
    """What `personne dataset pack` adds to dataset.json; other tools do not look at it.

    class_names: what the labels mean. files: what each picture was called before.
    """

    model_config = ConfigDict(frozen=True)

    split: str = TRAIN
    resolution: int = 0
    class_names: tuple[str, ...] = ()
    training_data: tuple[TrainingData, ...] = ()
    files: dict[str, str] = {}


class Description(BaseModel):
    """dataset.json. A label is a class's number, or a vector of numbers."""

    model_config = ConfigDict(frozen=True)

    labels: tuple[tuple[str, int | tuple[float, ...]], ...] | None = None
    personne: Passport | None = None


@dataclass(frozen=True)
class PictureFiles:
    """An opened folder or zip. `names`: its pictures, sorted, with their folders inside it; `read` gives one's bytes,
    `stamp` what tells it from another of its name: size, and time or checksum.

    `rows`: the index's, by those names; None where there is no index.
    """

    source: Path
    names: tuple[str, ...]
    read: Callable[[str], bytes]
    stamp: Callable[[str], str]
    rows: dict[str, Row] | None = None
    description: Description = field(default_factory=Description)

    def of_split(self, split: str) -> list[str]:
        """Names of the pictures of a split. Without an index all are of one split: train, or what was packed."""
        if self.rows is not None:
            if any("split" not in row for row in self.rows.values()):
                raise DatasetError(f"the {INDEX_NAME} of {self.source} lacks the columns file and split")
            return [name for name in self.names if name in self.rows and self.rows[name]["split"] == split]
        passport = self.description.personne
        return list(self.names) if split == (passport.split if passport else TRAIN) else []


@contextlib.contextmanager
def opened_files(source: Path) -> Iterator[PictureFiles]:
    """The pictures of `source`, with those of the folders in it. Raises DatasetError where it is no folder or zip."""
    if source.is_dir():
        found = (path.relative_to(source).as_posix() for path in source.rglob("*") if not path.is_dir())
        names = tuple(sorted(_visible(found)))
        yield _described(
            source, names, lambda name: (source / name).read_bytes(), lambda name: _stamp_of_file(source / name)
        )
    elif zipfile.is_zipfile(source):
        with _opened_zip(source) as archive:
            # A set: a zip may hold two entries of one name, of which the later is read.
            names = tuple(sorted(set(_visible(entry for entry in archive.namelist() if not entry.endswith("/")))))
            yield _described(
                source, names, lambda name: _unpacked(archive, name), lambda name: _stamp_inside(archive, name)
            )
    else:
        raise DatasetError(f"{source} is neither a folder nor a zip")


def _opened_zip(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DatasetError(f"{source} is a damaged zip: {error}") from error


def read_rows(text: bytes, called: str) -> list[Row]:
    """The rows of a CSV that has a column `file`, with commas, semicolons or tabs between. Raises DatasetError."""
    try:
        plain = text.decode("utf-8-sig").lstrip("\r\n")
        rows = list(csv.DictReader(io.StringIO(plain), restval="", delimiter=_delimiter(plain)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{called} is no CSV in UTF-8: {error}") from error
    # Fields beyond the header's have no name.
    found = [{key.strip(): value.strip() for key, value in row.items() if key is not None} for row in rows]
    if found and "file" not in found[0]:
        raise DatasetError(f"{called} lacks a column file; its columns are: {', '.join(found[0])}")
    return found


def _delimiter(text: str) -> str:
    """What stands between the fields of the header, as far as it makes a column `file`."""
    header = text.partition("\n")[0]
    return next((each for each in ",;\t" if "file" in [name.strip(' "\r') for name in header.split(each)]), ",")


def by_name(rows: list[Row], names: tuple[str, ...], called: str) -> dict[str, Row]:
    """The row of each picture. A row may name a picture with its folders, or without where that is unambiguous.

    Raises DatasetError where two pictures would share a row, or two rows say different things of one picture.
    """
    whole: dict[str, list[str]] = {}
    bare: dict[str, list[str]] = {}
    for name in names:
        whole.setdefault(_spelt(name), []).append(name)
        bare.setdefault(PurePosixPath(_spelt(name)).name, []).append(name)
    found: dict[str, Row] = {}
    for row in rows:
        wanted = _spelt(row["file"])
        meant = whole.get(wanted) or bare.get(wanted, [])
        if len(meant) > 1:
            raise DatasetError(f"{called} says {row['file']}, and files of the same name lie in several folders")
        for name in meant:
            if _said(found.setdefault(name, row)) != _said(row):
                raise DatasetError(f"{called} says two different things of {name}; one of the rows is wrong")
    return found


def _spelt(name: str) -> str:
    """A name however it was written: macOS takes accents apart, Windows turns slashes, shells put ./ before it."""
    return str(PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/").strip()))


def _said(row: Row) -> Row:
    return {column: value for column, value in row.items() if column != "file"}


def _described(
    source: Path, all_names: tuple[str, ...], read: Callable[[str], bytes], stamp: Callable[[str], str]
) -> PictureFiles:
    names = tuple(name for name in all_names if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES)
    if DESCRIPTION_NAME in all_names:
        return PictureFiles(source, names, read, stamp, None, _description(read(DESCRIPTION_NAME), source))
    index = _index(source, all_names, read)
    if index is None:
        return PictureFiles(source, names, read, stamp)
    called = f"the {INDEX_NAME} of {source}"
    return PictureFiles(source, names, read, stamp, by_name(read_rows(index, called), names, called))


def _index(source: Path, all_names: tuple[str, ...], read: Callable[[str], bytes]) -> bytes | None:
    inside = [name for name in all_names if PurePosixPath(name).name == INDEX_NAME]
    if len(inside) > 1 and INDEX_NAME not in inside:
        raise DatasetError(
            f"{source} holds several indexes, none of them of all its pictures: {', '.join(inside)}; put one "
            f"{INDEX_NAME} beside these folders, or train on one of them"
        )
    if inside:
        return read(min(inside, key=len))
    called = source.name if source.is_dir() else source.stem
    for beside in (source.with_name(f"{called}.csv"), source.with_name(INDEX_NAME)):
        if beside.is_file():
            return beside.read_bytes()
    return None


def _description(text: bytes, source: Path) -> Description:
    try:
        return Description.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DatasetError(f"the {DESCRIPTION_NAME} of {source}: {where}: {first['msg']}") from error


def _visible(names: Iterator[str]) -> Iterator[str]:
    return (name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{name} cannot be unpacked: {error}") from error


def _stamp_of_file(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size} {facts.st_mtime_ns}"


def _stamp_inside(archive: zipfile.ZipFile, name: str) -> str:
    facts = archive.getinfo(name)
    return f"{facts.file_size} {facts.CRC:08x}"
