"""directions.npz: a model's directions as a file, in its folder and told in its manifest; published boundaries.

In the file: `facts`, the JSON of all but the vectors as bytes, and each vector under its direction's name.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from models.directions import NO_DIRECTIONS, Direction, Directions, DirectionsRefused, Space, unit_direction
from models.manifest import MANIFEST_FILE, DirectionsSpec, GeneratorManifest, read_manifest

DIRECTIONS_FILE = "directions.npz"
FACTS = "facts"
MOST_BYTES = 64 * 1024 * 1024
"""Of all arrays of a file together: more than a thousand directions by layer of the largest published model."""
MOST_BOUNDARY_BYTES = 16 * 1024 * 1024
PINNED = 8
"""Hex digits of a file's hash that addresses carry."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    space: Space
    unit: float
    low: float
    high: float
    layers: tuple[int, int] | None = None
    method: str = ""
    accuracy: float | None = None
    measure: str = ""
    meaning: str = ""


_LIST = TypeAdapter(list[_Facts])


def read_directions(path: Path, manifest: GeneratorManifest) -> Directions:
    """The directions of a file. Raises DirectionsRefused for what is damaged, or made for other dimensions."""
    try:
        return directions_from_bytes(path.read_bytes(), manifest)
    except (OSError, DirectionsRefused) as error:
        raise DirectionsRefused(f"{path} cannot be used: {str(error).rstrip('.')}.") from error


def directions_from_bytes(content: bytes, manifest: GeneratorManifest) -> Directions:
    """The same of a file's content. Raises DirectionsRefused."""
    try:
        arrays = _arrays(content)
        facts = _LIST.validate_json(arrays.pop(FACTS).astype(np.uint8).tobytes())
        if set(arrays) != {one.name for one in facts}:
            raise DirectionsRefused("facts and vectors do not belong together")
        found = [Direction(vector=_float32(arrays[one.name]), **one.model_dump()) for one in facts]
    except ValidationError as error:
        raise DirectionsRefused(error.errors()[0]["msg"]) from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DirectionsRefused(str(error)) from error
    for direction in found:
        direction.check_fits(manifest.z_dim, manifest.w_dim, manifest.num_ws)
    return Directions(found, pin_of(hashlib.sha256(content).hexdigest()))


def to_bytes(directions: Sequence[Direction]) -> bytes:
    """A file's content: the same for the same directions."""
    facts = [_facts(direction) for direction in directions]
    arrays = {direction.name: direction.vector.astype("<f4") for direction in directions}
    arrays[FACTS] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            # A moment of its own would give every file another hash.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue())
    return buffer.getvalue()


def save_directions(folder: Path, directions: Sequence[Direction]) -> Directions:
    """Put these directions into a model's folder, in place of any that it has, and tell them in its manifest.

    A running service has them with its next look at the folder. Raises ModelRefused, DirectionsRefused.
    """
    manifest = read_manifest(folder)
    if not isinstance(manifest, GeneratorManifest):
        raise DirectionsRefused(f"{manifest.name!r} translates pictures; only generators have directions.")
    for direction in directions:
        direction.check_fits(manifest.z_dim, manifest.w_dim, manifest.num_ws)
    names = tuple(Directions(directions))
    content = to_bytes(directions)
    digest = hashlib.sha256(content).hexdigest()
    spec = DirectionsSpec(file=DIRECTIONS_FILE, sha256=digest, bytes=len(content), names=names)
    _write_whole(folder / DIRECTIONS_FILE, content)
    told = manifest.model_copy(update={"directions": spec}).model_dump_json(indent=2) + "\n"
    _write_whole(folder / MANIFEST_FILE, told.encode())
    return Directions(directions, pin_of(digest))


def change_directions(
    folder: Path, manifest: GeneratorManifest, change: Callable[[Directions], Sequence[Direction]]
) -> Directions:
    """Put into a model's folder what becomes of the directions that it has at that moment: a search takes minutes, and
    another command may have saved some since. manifest: of the model that the change is for. Those that are damaged
    count as none.

    Raises what `change` and save_directions raise, DirectionsRefused where another model has taken the place.
    """
    with _alone_with(folder):
        now = read_manifest(folder)
        if not isinstance(now, GeneratorManifest) or now.digest != manifest.digest:
            raise DirectionsRefused(
                f"{folder} holds another model than when this began; nothing was saved. Run the command again."
            )
        return save_directions(folder, change(_present(folder, now)))


def read_boundary(path: Path, name: str, space: Space) -> Direction:
    """A published boundary (.npy): [1, Z], or by layer [L, D]. Raises DirectionsRefused."""
    try:
        if path.stat().st_size > MOST_BOUNDARY_BYTES:
            raise DirectionsRefused(f"{path} is no boundary: it has more than {MOST_BOUNDARY_BYTES} bytes.")
        vector = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DirectionsRefused(f"{path} is no NumPy array that can be read: {error}.") from error
    if not isinstance(vector, np.ndarray) or vector.dtype.kind != "f" or vector.ndim not in (1, 2):
        raise DirectionsRefused(f"{path} holds no boundary: that is a float array of the shape (1, 512) or (18, 512).")
    return Direction(name, space, unit_direction(vector), method="boundary", measure=f"from {path.name}")


def pin_of(sha256: str) -> str:
    """What stands for a file's hash in addresses."""
    return sha256[:PINNED]


@contextlib.contextmanager
def _alone_with(folder: Path) -> Iterator[None]:
    """Waits while another process does this, too. The folder itself is locked: a file would be part of the model."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _present(folder: Path, manifest: GeneratorManifest) -> Directions:
    if manifest.directions is None:
        return NO_DIRECTIONS
    try:
        content = (folder / manifest.directions.file).read_bytes()
        told = hashlib.sha256(content).hexdigest() == manifest.directions.sha256
        return directions_from_bytes(content, manifest) if told else NO_DIRECTIONS
    except (OSError, DirectionsRefused):
        return NO_DIRECTIONS


def _arrays(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise DirectionsRefused(f"it would unfold to more than {MOST_BYTES} bytes")
    with np.load(io.BytesIO(content), allow_pickle=False) as opened:
        return {name: opened[name] for name in opened.files}


def _float32(array: Any) -> Any:
    if array.dtype.kind != "f":
        raise DirectionsRefused("a vector has no floating point numbers")
    return array.astype(np.float32)


def _facts(direction: Direction) -> dict[str, Any]:
    return {name: getattr(direction, name) for name in _Facts.model_fields}


def _write_whole(path: Path, content: bytes) -> None:
    begun = path.with_name(f".{path.name}.partial")
    begun.write_bytes(content)
    begun.replace(path)
