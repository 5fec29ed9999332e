"""torch.save's zip archives: a pickle that names storages, and one entry per storage, none of them compressed."""

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import torch

from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.legacy_stream import storage_reference
from models.checkpoints.limits import Account
from models.checkpoints.pickled_tensors import Storage, storage_of
from models.checkpoints.unpickling import read_pickle

END_MARK, END_BYTES = b"PK\x05\x06", 22
LARGE_END_BYTES, LARGE_LOCATOR_BYTES = 56, 20
# What an entry of the directory takes, generously: torch's own take about 100.
DIRECTORY_BYTES_PER_ENTRY = 512


def read_zip_archive(path: Path, account: Account, names: Mapping[str, Any]) -> Any:
    """The saved object. Raises CheckpointUnsafe for an archive that torch.save would not write."""
    _check_directory_size(path, account)
    try:
        with zipfile.ZipFile(path) as archive:
            root = _check_entries(archive, account)
            storages = _Storages(archive, root)
            content = archive.read(f"{root}/data.pkl")
            return read_pickle(io.BytesIO(content), names, account, storages.find)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, struct.error, UnicodeError) as error:
        raise CheckpointRefused(f"The zip archive is truncated or damaged ({type(error).__name__}).") from error


class _Storages:
    """The storages of an archive, each read once."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self.archive, self.root = archive, root
        self.read: dict[str, Storage] = {}

    def find(self, reference: Any) -> Storage:
        key, dtype = storage_reference(reference)
        if key not in self.read:
            self.read[key] = self._open(key, dtype, reference[4])
        if self.read[key].dtype != dtype:
            raise CheckpointUnsafe("The file reads one storage as two types, which torch.save does not write.")
        return self.read[key]

    def _open(self, key: str, dtype: torch.dtype, count: Any) -> Storage:
        try:
            entry = self.archive.getinfo(f"{self.root}/data/{key}")
        except KeyError:
            raise CheckpointRefused("The archive lacks a storage that its tensors need.") from None
        if type(count) is not int or entry.file_size != count * dtype.itemsize:
            raise CheckpointUnsafe(
                f"The file declares a storage of {str(count)[:40]} elements and holds {entry.file_size:,} bytes of it."
            )
        return storage_of(self.archive.read(entry), dtype)


def _check_directory_size(path: Path, account: Account) -> None:
    """Before zipfile makes an object of every entry."""
    size = path.stat().st_size
    with path.open("rb") as file:
        tail_bytes = min(size, END_BYTES + LARGE_LOCATOR_BYTES + LARGE_END_BYTES + 2**16)
        file.seek(size - tail_bytes)
        tail = file.read(tail_bytes)
    place = tail.rfind(END_MARK)
    if place < 0 or len(tail) < place + END_BYTES:
        raise CheckpointRefused("The zip archive is truncated: its directory is missing.")
    entries, directory_bytes = struct.unpack_from("<HL", tail, place + 10)
    large = tail.rfind(b"PK\x06\x06", 0, place)
    if large >= 0:
        entries, directory_bytes = struct.unpack_from("<QQ", tail, large + 32)
    most = account.limits.entries
    if entries > most or directory_bytes > most * DIRECTORY_BYTES_PER_ENTRY:
        raise CheckpointUnsafe(f"The zip archive declares {entries:,} entries; at most {most:,} are opened.")


def _check_entries(archive: zipfile.ZipFile, account: Account) -> str:
    """The folder that everything lies in. Raises unless all entries are plain, stored and inside of it."""
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if len(names) != len(entries) or len(entries) > account.limits.entries:
        raise CheckpointUnsafe("The zip archive names an entry twice, or has too many of them.")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise CheckpointUnsafe(
                f"The zip archive is compressed ({entry.file_size:,} bytes in {entry.compress_size:,}); "
                "torch.save never compresses, so it is not opened."
            )
        if entry.flag_bits & 1 or ".." in PurePosixPath(entry.filename).parts or entry.filename.startswith("/"):
            raise CheckpointUnsafe("The zip archive has encrypted entries, or names that lead out of it.")
    if sum(entry.file_size for entry in entries) > account.file_bytes:
        raise CheckpointUnsafe("The entries of the zip archive overlap: together they are longer than the file.")
    return _root(names)


def _root(names: set[str]) -> str:
    roots = [name.removesuffix("/data.pkl") for name in names if name.endswith("/data.pkl")]
    if len(roots) != 1 or "/" in roots[0]:
        raise CheckpointRefused(
            f"The zip archive holds no data.pkl of torch.save, but {len(names):,} entries such as "
            f"{', '.join(sorted(name[:60] for name in names)[:3]) or 'none'}."
        )
    (root,) = roots
    if any(name.startswith(f"{root}/code/") for name in names):
        raise CheckpointRefused("The file is a TorchScript archive, which is a program; give the state_dict instead.")
    return root
