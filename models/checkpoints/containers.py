"""Recognises a checkpoint's container by its first bytes and opens it as plain data: nothing in it is executed."""

import mmap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.legacy_stream import MAGIC_BYTES, read_legacy_stream
from models.checkpoints.limits import Account, Limits
from models.checkpoints.nvlabs import refuse_unservable
from models.checkpoints.stand_ins import NAMES
from models.checkpoints.unpickling import UnknownName, read_pickle
from models.checkpoints.zip_archive import read_zip_archive

Kind = Literal["torch-zip", "torch-legacy", "pickle", "safetensors"]
SAFETENSORS_HEADER_BYTES = 100 * 2**20
SNIFFED_BYTES = 64
# What people hand over instead, and what to do about it.
STRANGERS = {
    b"\x89HDF\r\n": "an HDF5 file (Keras, h5py); only PyTorch, NVIDIA and safetensors checkpoints are read",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "compressed with xz; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it with `git lfs pull`",
    b"<": "a web page or XML, not a checkpoint; the download went wrong",
    b"{": "JSON, not a checkpoint",
}
# Pickles of protocol 0 and 1 have no mark of their own; these are what such a file may begin with.
OLD_PICKLE_STARTS = b"(]}c"


@dataclass(frozen=True)
class Opened:
    """A container's content as plain data.

    content: what was saved (nested dictionaries, lists, numbers, text, tensors; objects as dictionaries of class_name,
    version and state; numpy arrays as PickledArray), or name -> tensor for safetensors. metadata: safetensors' own.
    """

    kind: Kind
    content: Any
    metadata: dict[str, str] = field(default_factory=dict)


def open_container(path: Path, limits: Limits | None = None) -> Opened:
    """Open a checkpoint file. Raises CheckpointRefused with a sentence that says what is wrong with it."""
    limits = limits or Limits()
    try:
        size = path.stat().st_size
        kind = sniff(path)
    except OSError as error:
        raise CheckpointRefused(f"{path} cannot be read: {error.strerror}.") from error
    if size > limits.file_bytes:
        raise CheckpointUnsafe(f"The file has {size:,} bytes; at most {limits.file_bytes:,} are opened.")
    if kind == "safetensors":
        return _open_safetensors(path)
    account = Account(limits, size)
    try:
        content = _read(path, kind, account)
    except UnknownName as error:
        refuse_unservable(error.seen)
        raise
    except RecursionError as error:
        raise CheckpointUnsafe("The file nests its objects too deep.") from error
    check_shape(content, limits)
    return Opened(kind, content)


def open_torch_file(path: Path, limits: Limits | None = None) -> Any:
    """What torch.save wrote there, new format or old, as plain data: weights only, whatever else it holds."""
    opened = open_container(path, limits)
    if opened.kind not in ("torch-zip", "torch-legacy"):
        raise CheckpointRefused(f"The file is a {opened.kind}, not what torch.save writes.")
    return opened.content


def sniff(path: Path) -> Kind:
    """The container, by its first bytes. Raises CheckpointRefused for any other file, saying what it looks like."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
        file.seek(max(size - 1, 0))
        last = file.read(1)
    if head.startswith(MAGIC_BYTES):
        return "torch-legacy"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "torch-zip"
    # Its length comes first, which may begin with any byte; no pickle has four zeros there and a brace behind them.
    if head[4:9] == b"\0\0\0\0{":
        return "safetensors"
    if head and (head[:1] == b"\x80" or (head[:1] in OLD_PICKLE_STARTS and last == b".")):
        return "pickle"
    if head[8:9] == b"{":
        return "safetensors"
    raise CheckpointRefused(f"The file is {_stranger(head)}.")


def _stranger(head: bytes) -> str:
    if not head:
        return "empty"
    for mark, what in STRANGERS.items():
        if head.lstrip().startswith(mark):
            return what
    return f"of no known container: it begins with the bytes {head[:8].hex(' ')}"


def _read(path: Path, kind: Kind, account: Account) -> Any:
    if kind == "torch-zip":
        return read_zip_archive(path, account, NAMES)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        if kind == "pickle":
            return read_pickle(mapped, NAMES, account)
        with memoryview(mapped) as data:
            return read_legacy_stream(mapped, data, account, NAMES)


def _open_safetensors(path: Path) -> Opened:
    size = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
    if header_bytes > min(size - 8, SAFETENSORS_HEADER_BYTES):
        raise CheckpointUnsafe(f"The file declares a header of {header_bytes:,} bytes and is {size:,} bytes long.")
    tensors: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            metadata = dict(opened.metadata() or {})
            for name in opened.keys():  # noqa: SIM118 - safe_open is no mapping
                tensors[name] = opened.get_tensor(name)
    except (SafetensorError, ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointRefused(f"The file is no sound safetensors file: {str(error)[:200]}.") from error
    return Opened("safetensors", tensors, metadata)


def check_shape(content: Any, limits: Limits) -> None:
    """Raise CheckpointUnsafe for objects too deep in one another, inside of themselves, or too many when spelt out.

    A pickle may refer to one object many times: ten lists of ten times the last are ten billion to whoever walks them.
    Each object is looked at once here, however often it is referred to.
    """
    spelt_out: dict[int, int] = {}
    heights: dict[int, int] = {}
    begun: set[int] = set()
    stack = [content]
    while stack:
        value = stack[-1]
        key, inner = id(value), _inner(value)
        if key not in spelt_out and key not in begun:
            begun.add(key)
            waiting = [one for one in inner if id(one) not in spelt_out]
            if any(id(one) in begun for one in waiting):
                raise CheckpointUnsafe("The file holds an object that lies inside of itself.")
            stack.extend(waiting)
            continue
        stack.pop()
        if key in spelt_out:
            continue
        begun.discard(key)
        spelt_out[key] = 1 + (len(value) if isinstance(value, dict | list | tuple) else 0)
        spelt_out[key] += sum(spelt_out[id(one)] for one in inner)
        heights[key] = 1 + max((heights[id(one)] for one in inner), default=0)
        if heights[key] > limits.depth:
            raise CheckpointUnsafe(f"The file nests its objects more than {limits.depth} deep.")
        if spelt_out[key] > limits.objects:
            raise CheckpointUnsafe(f"The file's objects are more than {limits.objects:,} when spelt out.")


def _inner(value: Any) -> list[Any]:
    """The containers directly inside of a value."""
    inner: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [one for one in inner if isinstance(one, dict | list | tuple)]
