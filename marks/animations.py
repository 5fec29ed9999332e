"""The XMP packet in moving pictures whose encoders do not take one: GIF and MP4 (XMP specification, part 3)."""

import struct
from collections.abc import Iterator

MP4_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
GIF_APPLICATION = b"XMP DataXMP"
GIF_EXTENSION = b"\x21\xff\x0b" + GIF_APPLICATION
GIF_C2PA = b"\x21\xff\x0bC2PA_GIF\x01\0\0"
FRAME = 0x2C
MOST_PIECES = 20_000
"""Blocks of a GIF or boxes of an MP4 that are looked at; a file of nothing else would take long to walk."""
_TRAILER = bytes([1, *range(255, -1, -1), 0])
"""A GIF's reader takes the packet for blocks, each beginning with its length: wherever it comes out of the packet,
this leads it to the end."""
_SCREEN_BYTES = 13


def is_gif(body: bytes) -> bool:
    return body.startswith((b"GIF87a", b"GIF89a"))


def is_mp4(body: bytes) -> bool:
    return body[4:8] == b"ftyp"


def gif_with_xmp(body: bytes, xmp: bytes) -> bytes:
    """The packet stands before the first frame, behind the colours that all share. Empty: the file as it is."""
    if not xmp:
        return body
    start = _SCREEN_BYTES + _colours(body[10])
    return body[:start] + GIF_EXTENSION + xmp + _TRAILER + body[start:]


def mp4_with_xmp(body: bytes, xmp: bytes) -> bytes:
    """The packet is a box of its own, behind all others, so that nothing else moves. Empty: the file as it is."""
    if not xmp:
        return body
    return body + struct.pack(">I", 8 + len(MP4_UUID) + len(xmp)) + b"uuid" + MP4_UUID + xmp


def gif_size(body: bytes) -> tuple[int, int]:
    """Width and height that a decoder makes room for: the screen's, or those that a first frame beyond it asks for.

    Raises struct.error, IndexError for a file that breaks off before.
    """
    width, height = struct.unpack_from("<HH", body, 6)
    for at in _gif_pieces(body):
        if body[at] == FRAME:
            left, top, across, down = struct.unpack_from("<4H", body, at + 1)
            return max(width, left + across), max(height, top + down)
    return width, height


def gif_xmp(body: bytes) -> bytes | None:
    """The packet of a GIF, wherever it stands; None where there is none, or the file is damaged before it."""
    try:
        for at in _gif_pieces(body):
            if body.startswith(GIF_EXTENSION, at):
                start = at + len(GIF_EXTENSION)
                end = body.find(_TRAILER, start)
                return None if end < 0 else body[start:end]
    except IndexError:
        pass
    return None


def gif_c2pa(body: bytes) -> bytes:
    """The manifest store of a GIF, out of the blocks that it lies in (C2PA specification, A.3.5); empty without one."""
    try:
        for at in _gif_pieces(body):
            if body.startswith(GIF_C2PA, at):
                return b"".join(_gif_blocks(body, at + len(GIF_C2PA)))
    except IndexError:
        pass
    return b""


def mp4_xmp(body: bytes) -> bytes | None:
    """The packet of an MP4; None where there is none, or the file is damaged before it."""
    at = 0
    for _ in range(MOST_PIECES):
        if at + 8 > len(body):
            return None
        length, kind = struct.unpack_from(">I4s", body, at)
        header = 8
        if length == 1 and at + 16 <= len(body):
            (length,) = struct.unpack_from(">Q", body, at + 8)
            header = 16
        # A length of 0: to the end of the file.
        end = at + length if length else len(body)
        if end < at + header or end > len(body):
            return None
        content = at + header
        if kind == b"uuid" and body.startswith(MP4_UUID, content):
            return body[content + len(MP4_UUID) : end]
        at = end
    return None


def _gif_pieces(body: bytes) -> Iterator[int]:
    """Where each extension and each frame begins. Raises IndexError at the end of a file that breaks off."""
    at = _SCREEN_BYTES + _colours(body[10])
    for _ in range(MOST_PIECES):
        match body[at]:
            case 0x21:
                yield at
                at += 2
            case 0x2C:  # FRAME
                yield at
                # Place and size of a frame, its colours, and how many bits its pixels have.
                at += 10 + _colours(body[at + 9]) + 1
            case _:
                return
        while body[at]:
            at += 1 + body[at]
        at += 1


def _gif_blocks(body: bytes, at: int) -> Iterator[bytes]:
    while length := body[at]:
        yield body[at + 1 : at + 1 + length]
        at += 1 + length


def _colours(flags: int) -> int:
    """Bytes of a table of colours. Bit 7: there is one; bits 0 to 2: how large it is."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
