"""personne dataset align: folders of photos in, a zip of faces out, framed alike; what was dropped, and why."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from models.alignment import Picture, cut, padding_share
from models.locating import Face
from models.locator_files import open_locator
from personne.errors import NoFacesAligned, WouldOverwrite
from personne.photos_in import photos_in
from worker.errors import PhotoRefused
from worker.photos import Photo, decoded

KINDS = ("single", "largest", "all")
COLUMNS = ("file", "split", "source", "landmarks", "source_pixels", "padding", "score")
SHOWN = 5
"""Names of dropped photos that the report gives for each reason."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AlignWish:
    """resolution: side of the faces. smallest: least side of a face's square in its photo. beyond: largest share of it
    beyond the photo's edge, where reflections fill it. faces: what happens to photos with several."""

    resolution: int
    smallest: int
    beyond: float
    faces: str

    def __post_init__(self) -> None:
        if self.faces not in KINDS:
            raise ValueError(f"faces is {self.faces!r}; it must be one of {', '.join(KINDS)}")


@dataclass(frozen=True, slots=True)
class Aligned:
    """A face as it goes into the zip. pixels: side of its square in the photo."""

    picture: Picture
    face: Face
    pixels: float
    padding: float


def align_dataset(
    sources: Sequence[Path], out: Path, wish: AlignWish, *, force: bool, most_pixels: int, say: Say
) -> None:
    """Write the zip: 000000.png and so on, and index.csv with the landmarks of each in its own pixels.

    A zip that is cut off by a kill never appears. Raises NothingToTranslate, WouldOverwrite, NoFacesAligned.
    """
    if out.exists() and not force:
        raise WouldOverwrite(f"{out} is there already", "add --force, or choose another name with --out")
    photos, dropped = photos_in(sources), []
    rows: list[dict[str, object]] = []
    out.parent.mkdir(parents=True, exist_ok=True)
    begun = out.with_name(f".{out.name}.partial")
    locator = open_locator()
    try:
        with zipfile.ZipFile(begun, "w") as archive, Progress(console=Console(stderr=True)) as progress:
            for path, place in progress.track(photos, description="aligning"):
                for found in _faces_of(path, wish, most_pixels, locator.find):
                    if isinstance(found, str):
                        dropped.append((place, found))
                        continue
                    name = f"{len(rows):06d}.png"
                    archive.writestr(name, _png(found.picture))
                    rows.append(_row(name, place, found, wish.resolution))
            archive.writestr("index.csv", _table(rows), zipfile.ZIP_DEFLATED)
        _report(len(photos), len(rows), dropped, say)
        if not rows:
            raise NoFacesAligned(len(photos))
        begun.replace(out)
    finally:
        locator.close()
        begun.unlink(missing_ok=True)
    say(f"{len(rows)} faces of {wish.resolution}x{wish.resolution} are in {out}.")


def _faces_of(
    path: Path, wish: AlignWish, most_pixels: int, find: Callable[[Picture], list[Face]]
) -> Iterator[Aligned | str]:
    """Each face that is taken, or the reason why one is not."""
    try:
        photo = decoded(path.read_bytes(), most_pixels)
    except (PhotoRefused, OSError) as error:
        yield str(error) if isinstance(error, PhotoRefused) else "the file cannot be read"
        return
    faces = find(photo.pixels)
    if not faces:
        yield "no face was found"
    elif len(faces) > 1 and wish.faces == "single":
        yield "several faces (--faces largest or all takes them)"
    else:
        for face in faces if wish.faces == "all" else faces[:1]:
            yield _aligned(photo, face, wish)


def _aligned(photo: Photo, face: Face, wish: AlignWish) -> Aligned | str:
    square = face.square
    beyond = padding_share(*photo.size, square)
    if square.side < wish.smallest:
        return f"the face is smaller than {wish.smallest} pixels (--smallest)"
    if beyond > wish.beyond:
        return f"more than {wish.beyond:.0%} of the square lies beyond the photo's edge (--beyond)"
    return Aligned(cut(photo.pixels, square, wish.resolution), face, square.side, beyond)


def _row(name: str, place: Path, aligned: Aligned, resolution: int) -> dict[str, object]:
    own = aligned.face.square.to_crop(aligned.face.landmarks) * resolution
    return {
        "file": name,
        "split": "train",
        "source": place.as_posix(),
        "landmarks": " ".join(f"{number:.1f}" for number in np.ravel(own)),
        "source_pixels": round(aligned.pixels, 1),
        "padding": round(aligned.padding, 3),
        "score": round(aligned.face.score, 3),
    }


def _table(rows: Sequence[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _report(photos: int, faces: int, dropped: Sequence[tuple[Path, str]], say: Say) -> None:
    say(f"{photos} photos gave {faces} faces; {len(dropped)} were dropped.")
    for reason, count in Counter(reason for _, reason in dropped).most_common():
        names = [str(place) for place, why in dropped if why == reason]
        more = f" and {count - SHOWN} more" if count > SHOWN else ""
        say(f"  {count}: {reason}: {', '.join(names[:SHOWN])}{more}")
