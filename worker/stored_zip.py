"""A zip whose entries lie in it as they are, not deflated: how one is added, and how those are found again."""

import struct
import zipfile
from collections.abc import Iterator

MIDNIGHT = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a zip can name: the same job gives the same names, sizes and times."""
_SIGNATURE = b"PK\x03\x04"
_HEADER = struct.Struct("<4s5H3L2H")
"""PKWARE's APPNOTE, 4.3.7: signature, version, flags, method, time, date, checksum, both sizes, both lengths."""


def add(archive: zipfile.ZipFile, name: str, body: bytes) -> None:
    archive.writestr(_entry(name), body)


def entries(piece: bytes, at: int) -> Iterator[zipfile.ZipInfo]:
    """Those that `add` has written there. piece: from byte `at` of the zip, where an entry begins, to an entry's end.

    Ends early, as if there were no more, at whatever `add` did not write: a caller that counts the bytes knows.
    """
    begin = 0
    while len(piece) - begin >= _HEADER.size and piece.startswith(_SIGNATURE, begin):
        *_, checksum, _, size, name_length, extra_length = _HEADER.unpack_from(piece, begin)
        name_at = begin + _HEADER.size
        entry = _entry(piece[name_at : name_at + name_length].decode("ascii", errors="replace"))
        entry.CRC, entry.compress_size, entry.file_size, entry.header_offset = checksum, size, size, at + begin
        begin = name_at + name_length + size
        if extra_length or begin > len(piece):
            return
        yield entry


def end_of(entry: zipfile.ZipInfo) -> int:
    """The byte of the zip that follows the entry."""
    return entry.header_offset + _HEADER.size + len(entry.filename) + entry.file_size


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, MIDNIGHT)
    entry.external_attr = 0o644 << 16
    return entry
