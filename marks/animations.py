"""The XMP packet in moving pictures whose encoders do not take one: GIF and MP4 (XMP specification, part 3)."""

import struct

MP4_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
GIF_EXTENSION = b"\x21\xff\x0bXMP DataXMP"
_TRAILER = bytes([1, *range(255, -1, -1), 0])
"""A GIF's reader takes the packet for blocks, each beginning with its length: wherever it comes out of the packet,
this leads it to the end."""
_SCREEN_BYTES = 13


def gif_with_xmp(body: bytes, xmp: bytes) -> bytes:
    """The packet stands before the first frame, behind the colours that all share. Empty: the file as it is."""
    if not xmp:
        return body
    flags = body[10]
    # Bit 7: there are shared colours; bits 0 to 2: how many.
    start = _SCREEN_BYTES + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    return body[:start] + GIF_EXTENSION + xmp + _TRAILER + body[start:]


def mp4_with_xmp(body: bytes, xmp: bytes) -> bytes:
    """The packet is a box of its own, behind all others, so that nothing else moves. Empty: the file as it is."""
    if not xmp:
        return body
    return body + struct.pack(">I", 8 + len(MP4_UUID) + len(xmp)) + b"uuid" + MP4_UUID + xmp
