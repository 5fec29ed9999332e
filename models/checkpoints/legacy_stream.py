"""torch.save as it was before its files became zip archives, and still is for one storage inside a pickle.

Five pickles in a row (a magic number, a version, the machine's habits, the object, the storages' keys), then each
storage: its length as eight bytes, its elements.
"""

import struct
from collections.abc import Mapping
from typing import Any

import torch

from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import Account
from models.checkpoints.pickled_tensors import STORAGE_TYPES, Storage, storage_of
from models.checkpoints.unpickling import Stream, read_pickle

MAGIC = 0x1950A86A20F9469CFC6C
MAGIC_BYTES = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
VERSION = 1001
STORAGE_NAMES: dict[str, Any] = {f"torch {name}": dtype for name, dtype in STORAGE_TYPES.items()}


def read_nested_storage(stream: Stream, data: memoryview, account: Account) -> Storage:
    """One storage that lies inside a pickle; nothing but a storage may lie there."""
    found = read_legacy_stream(stream, data, account, STORAGE_NAMES)
    if not isinstance(found, Storage):
        raise CheckpointUnsafe("The file holds something else where a tensor's storage should be.")
    return found


def read_legacy_stream(stream: Stream, data: memoryview, account: Account, names: Mapping[str, Any]) -> Any:
    """The saved object. `data` is all that `stream` reads from.

    Read twice: first to learn which storages there are and of which type, then with their elements at hand.
    """
    _read_head(stream, account)
    start = stream.tell()
    types: dict[str, torch.dtype] = {}

    def learn(reference: Any) -> Storage:
        key, dtype = storage_reference(reference)
        types[key] = dtype
        return Storage(dtype, None)

    read_pickle(stream, names, account, learn)
    keys = read_pickle(stream, {}, account)
    storages = _read_storages(data, stream.tell(), keys, types)
    stream.seek(start)
    return read_pickle(stream, names, account, lambda reference: storages[storage_reference(reference)[0]])


def _read_head(stream: Stream, account: Account) -> None:
    magic, version = read_pickle(stream, {}, account), read_pickle(stream, {}, account)
    if magic != MAGIC or version != VERSION:
        raise CheckpointRefused("The file holds something else where torch.save's magic number should be.")
    habits = read_pickle(stream, {}, account)
    if not isinstance(habits, dict) or habits.get("little_endian") is not True:
        raise CheckpointRefused("The file was written on a big-endian machine; save it again on a little-endian one.")


def storage_reference(reference: Any) -> tuple[str, torch.dtype]:
    """The key and element type of ("storage", type, key, device, length[, view])."""
    if type(reference) is not tuple or len(reference) < 5 or reference[0] != "storage":
        raise CheckpointUnsafe("The file refers to something outside of it that is no storage.")
    _, dtype, key, _, _, *view = reference
    if not isinstance(dtype, torch.dtype) or not isinstance(key, str):
        raise CheckpointUnsafe("The file refers to a storage of unknown type.")
    if view and view[0] is not None:
        raise CheckpointRefused("The file shares storages as torch before 0.4 did; save it again with a newer torch.")
    return key, dtype


def _read_storages(data: memoryview, place: int, keys: Any, types: dict[str, torch.dtype]) -> dict[str, Storage]:
    if type(keys) is not list or not all(type(key) is str for key in keys) or sorted(keys) != sorted(types):
        raise CheckpointRefused("The file's list of storages does not fit its tensors.")
    storages = {}
    for key in keys:
        if len(data) < place + 8:
            raise CheckpointRefused("The file is truncated: it ends before its last storage.")
        (count,) = struct.unpack_from("<q", data, place)
        end = place + 8 + count * types[key].itemsize
        if count < 0 or end > len(data):
            raise CheckpointUnsafe(
                f"The file is truncated, or declares a storage of {count:,} elements that it does not hold."
            )
        storages[key] = storage_of(data[place + 8 : end], types[key])
        place = end
    return storages
