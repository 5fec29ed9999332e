"""Pictures of a folder or zip, resized once and held in memory; an order that knows no state."""
# N pictures, B batch, C channel, H W picture

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from training.errors import DatasetError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
INDEX_NAME = "index.csv"
TRAIN = "train"


def load_pictures(source: Path, resolution: int, split: str = TRAIN) -> NDArray[np.uint8]:
    """All pictures of `source` as [N, 3, resolution, resolution] uint8, in order of their names.

    A picture is cropped to its central square and resized by Lanczos. With an index.csv (columns
    file, split) inside the source or beside it (where it may be called like the folder), only the rows
    of `split` are read; without one, all are, and there is no other split than train.
    """
    pictures = [_square(data, resolution, name) for name, data in read_files(source, split)]
    return np.stack(pictures)


class ShuffledPictures:
    """Endless batches in a new order each epoch.

    The order is a function of the seed and of how many images were seen, so that a resumed run
    needs no saved position.
    """

    def __init__(self, pictures_NCHW: NDArray[np.uint8], seed: int, device: torch.device) -> None:
        self._pictures = torch.from_numpy(pictures_NCHW).to(device)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._pictures)

    def batch(self, images_seen: int, size: int) -> Tensor:
        """The `size` pictures after `images_seen`: [B, 3, H, W] float32 in -1..1."""
        count = len(self)
        places = range(images_seen, images_seen + size)
        epochs = {place // count: self._order(place // count) for place in (places[0], places[-1])}
        for epoch in range(places[0] // count + 1, places[-1] // count):
            epochs[epoch] = self._order(epoch)
        rows = [int(epochs[place // count][place % count]) for place in places]
        chosen = self._pictures[torch.tensor(rows, device=self._pictures.device)]
        return chosen.float() / 127.5 - 1  # 0..255 => [-1, 1]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.RandomState([self._seed, epoch]).permutation(len(self))


def read_files(source: Path, split: str = TRAIN) -> Iterator[tuple[str, bytes]]:
    """Name and content of each picture of `split`, as in `load_pictures`. Raises DatasetError where there is none."""
    empty = True
    for name, data in _read(source, split):
        empty = False
        yield name, data
    if empty:
        raise DatasetError(f"{source} holds no pictures of the split {split!r}")


def read_rgb(data: bytes, name: str) -> Image.Image:
    """The picture upright and as RGB. Raises DatasetError where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except OSError as error:
        raise DatasetError(f"{name} is not a picture that can be read: {error}") from error


def _read(source: Path, split: str) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        files = {path.name: path for path in source.iterdir()}
        wanted = _wanted(list(files), _folder_index(source), split, source)
        yield from ((name, files[name].read_bytes()) for name in wanted)
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            entries = _entries(archive, source)
            inside = archive.read(entries[INDEX_NAME]) if INDEX_NAME in entries else None
            index = inside or _bytes_of(source.with_name(INDEX_NAME))
            for name in _wanted(list(entries), index, split, source):
                yield name, archive.read(entries[name])
    else:
        raise DatasetError(f"{source} is neither a folder nor a zip")


def _entries(archive: zipfile.ZipFile, source: Path) -> dict[str, str]:
    paths = [entry for entry in archive.namelist() if not entry.startswith("__MACOSX/") and not entry.endswith("/")]
    entries = {PurePosixPath(entry).name: entry for entry in paths}
    if len(entries) < len(paths):
        raise DatasetError(f"{source} holds files of the same name in several folders")
    return entries


def _folder_index(folder: Path) -> bytes | None:
    beside = folder.parent
    return _bytes_of(folder / INDEX_NAME) or _bytes_of(beside / f"{folder.name}.csv") or _bytes_of(beside / INDEX_NAME)


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _wanted(names: list[str], index: bytes | None, split: str, source: Path) -> list[str]:
    present = sorted(name for name in names if Path(name).suffix.lower() in PICTURE_SUFFIXES)
    if index is None:
        return present if split == TRAIN else []
    rows = list(csv.DictReader(io.StringIO(index.decode("utf-8-sig"))))
    if rows and not {"file", "split"} <= rows[0].keys():
        raise DatasetError(f"the {INDEX_NAME} of {source} lacks the columns file and split")
    of_split = {row["file"] for row in rows if row["split"] == split}
    return [name for name in present if name in of_split]


def _square(data: bytes, resolution: int, name: str) -> NDArray[np.uint8]:
    fitted = ImageOps.fit(read_rgb(data, name), (resolution, resolution), Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.uint8).transpose(2, 0, 1)
