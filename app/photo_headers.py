"""What a photo's file says of itself before anything is decoded: format, size, frames, and its C2PA manifest.

A few bytes at known places, no decoder: the web stays light, and whatever may go wrong in a decoder goes wrong in a
worker. JPEG: ITU-T T.81, annex B. PNG: its specification, chapter 5 and 11. WebP: RFC 9649.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import AnimatedPhoto, PhotoMissing, UnreadablePhoto, UnsupportedPhoto
from jobs.contract import PictureFormat
from marks.animations import gif_size, is_gif, is_mp4

MOST_PARTS = 2000
"""Segments or chunks before the pixels. Photos have some dozens; a file of nothing else would take long to walk."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
START_OF_SCAN, APP11 = 0xDA, 0xEB
STRANGERS = (
    (b"GIF8", 0, "A GIF"),
    (b"BM", 0, "A BMP"),
    (b"II*\0", 0, "A TIFF"),
    (b"MM\0*", 0, "A TIFF"),
    (b"%PDF", 0, "A PDF"),
    (b"ftyphei", 4, "A HEIC"),
    (b"ftypmif1", 4, "A HEIC"),
    (b"ftypavi", 4, "An AVIF"),
    (b"<svg", 0, "An SVG"),
    (b"<?xml", 0, "An XML file"),
)
"""What people send instead, told by bytes at a place."""


@dataclass(frozen=True, slots=True)
class PhotoHeader:
    """width, height: as stored, before any turning by EXIF. c2pa: the manifest store's bytes, empty without one."""

    format: PictureFormat
    width: int
    height: int
    c2pa: bytes = b""


def read_header(body: bytes, *, moving: bool = False) -> PhotoHeader:
    """moving: a WebP may have several frames; its header is that of the canvas.

    Raises PhotoMissing, UnsupportedPhoto, AnimatedPhoto, UnreadablePhoto.
    """
    if not body:
        raise PhotoMissing
    try:
        if body.startswith(b"\xff\xd8\xff"):
            header = _jpeg(body)
        elif body.startswith(PNG_SIGNATURE):
            header = _png(body)
        elif body[:4] == b"RIFF" and body[8:12] == b"WEBP":
            header = _webp(body, moving=moving)
        else:
            raise UnsupportedPhoto(next((name for magic, at, name in STRANGERS if body.startswith(magic, at)), None))
    except (struct.error, IndexError):
        raise UnreadablePhoto from None
    if not (header.width and header.height):
        raise UnreadablePhoto
    return header


def size_of(body: bytes) -> tuple[int, int]:
    """Width and height of what marks are read of: as a photo, or moving, as WebP, GIF or MP4.

    Films are never decoded here: they count as one pixel. Raises PhotoMissing, UnsupportedPhoto, AnimatedPhoto (of
    PNG), UnreadablePhoto.
    """
    if is_mp4(body) and not any(body.startswith(magic, at) for magic, at, _ in STRANGERS):
        return 1, 1
    if not is_gif(body):
        header = read_header(body, moving=True)
        return header.width, header.height
    try:
        width, height = gif_size(body)
    except (struct.error, IndexError):
        raise UnreadablePhoto from None
    if not (width and height):
        raise UnreadablePhoto
    return width, height


def _jpeg(body: bytes) -> PhotoHeader:
    size: tuple[int, int] | None = None
    boxes: dict[int, list[bytes]] = {}
    for marker, content in _segments(body):
        if marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", content, 1)
            size = width, height
        elif marker == APP11 and content[:2] == b"JP":
            boxes.setdefault(struct.unpack_from(">H", content, 2)[0], []).append(content[8:])
    if size is None:
        raise UnreadablePhoto
    return PhotoHeader(PictureFormat.JPEG, *size, c2pa=_c2pa_of(boxes))


def _segments(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment up to the first scan."""
    at = 2
    for _ in range(MOST_PARTS):
        if body[at] != 0xFF:
            raise UnreadablePhoto
        while body[at] == 0xFF:
            at += 1
        marker = body[at]
        at += 1
        if marker == START_OF_SCAN:
            return
        if marker in WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", body, at)
        if length < 2 or at + length > len(body):
            raise UnreadablePhoto
        yield marker, body[at + 2 : at + length]
        at += length
    raise UnreadablePhoto


def _c2pa_of(boxes: dict[int, list[bytes]]) -> bytes:
    """A box that is too long for one segment goes on in the next, its own header repeated (ISO 19566-5, annex D)."""
    for parts in boxes.values():
        header = 16 if parts[0][:4] == b"\0\0\0\1" else 8
        box = parts[0] + b"".join(part[header:] for part in parts[1:])
        # In it the description box comes first, with the type: `c2pa` and twelve fixed bytes.
        if box[4:8] == b"jumb" and box[header + 8 : header + 12] == b"c2pa":
            return box
    return b""


def _png(body: bytes) -> PhotoHeader:
    size: tuple[int, int] | None = None
    c2pa, at = b"", len(PNG_SIGNATURE)
    for _ in range(MOST_PARTS):
        length, name = struct.unpack_from(">I4s", body, at)
        content = body[at + 8 : at + 8 + length]
        if name == b"IHDR":
            size = struct.unpack_from(">II", content)
        elif name == b"acTL":
            raise AnimatedPhoto
        elif name == b"caBX":
            c2pa = content
        elif name in (b"IDAT", b"IEND") and size is not None:
            return PhotoHeader(PictureFormat.PNG, *size, c2pa=c2pa)
        at += length + 12
    raise UnreadablePhoto


def _webp(body: bytes, *, moving: bool) -> PhotoHeader:
    size: tuple[int, int] | None = None
    c2pa, at = b"", 12
    for _ in range(MOST_PARTS):
        if at + 8 > len(body):
            break
        name, length = struct.unpack_from("<4sI", body, at)
        content = body[at + 8 : at + 8 + length]
        if name in (b"ANIM", b"ANMF") and not moving:
            raise AnimatedPhoto
        if name == b"C2PA":
            c2pa = content
        # The canvas of an extended file comes first, and counts.
        size = size or _webp_size(name, content)
        at += 8 + length + length % 2
    if size is None:
        raise UnreadablePhoto
    return PhotoHeader(PictureFormat.WEBP, *size, c2pa=c2pa)


def _webp_size(chunk: bytes, content: bytes) -> tuple[int, int] | None:
    if chunk == b"VP8X":
        width, height = (int.from_bytes(content[start : start + 3], "little") for start in (4, 7))
        return width + 1, height + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L":
        (packed,) = struct.unpack_from("<I", content, 1)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return None
