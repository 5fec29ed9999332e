"""Pictures into one zip as NVIDIA's StyleGAN tools read and write it, with labels, licence and origin inside.

An uncompressed zip of square PNGs 00000/img00000000.png ... and a dataset.json.
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from models.manifest import TrainingData
from training.atomic import written_whole
from training.decoding import read_rgb, square
from training.errors import DatasetError
from training.picture_files import DESCRIPTION_NAME, Passport, PictureFiles, Row

NOT_STATED = "not stated"
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the same pictures make the same bytes."""


def write_zip(
    path: Path,
    files: PictureFiles,
    names: Sequence[str],
    passport: Passport,
    *,
    labels: Mapping[str, int] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Write these pictures, cropped to their central square and resized to `passport.resolution`. Whole or not at all.

    labels: a class's number for each of them. `advance` is told how many more are done.
    """
    packed = {f"{i // 1000:05d}/img{i:08d}.png": name for i, name in enumerate(names)}
    # A name that is no UTF-8 would make a dataset.json that nothing reads.
    before = {entry: name.encode("utf-8", "replace").decode() for entry, name in packed.items()}
    with written_whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for entry, name in packed.items():
            picture = square(read_rgb(files.read(name), name), passport.resolution)
            written = io.BytesIO()
            Image.fromarray(picture.transpose(1, 2, 0)).save(written, "PNG")
            archive.writestr(zipfile.ZipInfo(entry, FIRST_DAY), written.getvalue())
            advance(1)
        description = {
            "labels": None if labels is None else [[entry, labels[name]] for entry, name in packed.items()],
            "personne": passport.model_copy(update={"files": before}).model_dump(mode="json"),
        }
        archive.writestr(zipfile.ZipInfo(DESCRIPTION_NAME, FIRST_DAY), json.dumps(description, indent=1))


def classes(
    names: Sequence[str], rows: Mapping[str, Row], column: str, unlabelled: str | None
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The class of each picture by its value in `column`, and what the classes are called, in order.

    A picture without a value is of the class `unlabelled`, or of none where that is None. Raises DatasetError.
    """
    if not any(column in row for row in rows.values()):
        known = sorted({name for row in rows.values() for name in row} - {"file", "split"})
        raise DatasetError(f"there is no column {column!r} for labels; there are: {', '.join(known) or 'none'}")
    values = {name: rows.get(name, {}).get(column, "") or unlabelled for name in names}
    found = {value for value in values.values() if value}
    called = sorted(found, key=int) if all(value.isdecimal() for value in found) else sorted(found)
    return {name: called.index(value) for name, value in values.items() if value}, tuple(called)


def training_data(
    names: Sequence[str], rows: Mapping[str, Row], sources: Mapping[str, TrainingData], otherwise: TrainingData
) -> tuple[TrainingData, ...]:
    """How many pictures came from where, under which licence.

    The column `source` says where from and `sources` what that is; the columns `licence` and `attribution` stand in for
    it, and `otherwise` for what is still unknown.
    """
    counts = Counter(_origin(rows.get(name, {}), sources, otherwise) for name in names)
    return tuple(origin.model_copy(update={"images": images}) for origin, images in sorted(counts.items(), key=_order))


def read_sources(path: Path) -> dict[str, TrainingData]:
    """A JSON object by values of the column `source`: {"press": {"name", "licence", "attribution"}}."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        counted = {source: {"name": source, "images": 0, **facts} for source, facts in plain.items()}
        return _SOURCES.validate_python(counted)
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise DatasetError(f"{path} holds no JSON object of sources: {error}") from error


def _origin(row: Row, sources: Mapping[str, TrainingData], otherwise: TrainingData) -> TrainingData:
    source = row.get("source", "")
    if source in sources:
        return sources[source].model_copy(update={"images": 0})
    return TrainingData(
        name=source or otherwise.name,
        images=0,
        licence=row.get("licence") or otherwise.licence,
        attribution=row.get("attribution") or otherwise.attribution,
    )


def _order(counted: tuple[TrainingData, int]) -> tuple[int, str]:
    return -counted[1], counted[0].name


_SOURCES = TypeAdapter(dict[str, TrainingData])
