"""Photos as people upload them, and what is no photo at all: each under a name, some made byte by byte."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageCms

WIDTH, HEIGHT = 60, 40
C2PA_BOX = (
    struct.pack(">I4sI4s", 8 + 8 + 33, b"jumb", 8 + 33, b"jumd") + b"c2pa" + bytes(12) + b"\x03c2pa\0" + bytes(11)
)
"""A JUMBF box as C2PA has it: its description says `c2pa`."""
RED, BLUE = (200, 30, 20), (20, 30, 200)
ORIENTATION = 0x0112


def picture(mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def half_transparent() -> Image.Image:
    image = picture("RGBA")
    image.putalpha(128)
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG written by hand. more: chunks (name, content) between header and pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def with_orientation(orientation: int) -> bytes:
    """A JPEG that was held so, and says where it was taken."""
    image = picture()
    exif = image.getexif()
    exif[ORIENTATION] = orientation
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.0)}
    exif[0x010F] = "A camera of somebody's"
    xmp = b"<x:xmpmeta>somebody's name</x:xmpmeta>"
    return saved(image, "JPEG", quality=95, subsampling=0, exif=exif, xmp=xmp)


def swapped_profile() -> bytes:
    """An ICC profile in which red and blue have changed places, so that whoever heeds it sees the other."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for start in range(132, 132 + 12 * struct.unpack_from(">I", profile, 128)[0], 12):
        name = bytes(profile[start : start + 4])
        profile[start : start + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    return bytes(profile)


def sixteen_bits(colour: int) -> bytes:
    """A PNG of 16 bits a channel. colour: 0 grey, 2 RGB, 4 grey with opacity, 6 RGBA."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    levels = np.full([HEIGHT, WIDTH, channels], 40_000, ">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    return png(WIDTH, HEIGHT, 16, colour, rows)


def with_c2pa_jpeg() -> bytes:
    """A JPEG whose C2PA manifest lies in two segments, as a long one does."""
    body, half = saved(picture(), "JPEG"), 20
    segments = b""
    for number, part in enumerate((C2PA_BOX[:half], C2PA_BOX[:8] + C2PA_BOX[half:]), start=1):
        content = b"JP" + struct.pack(">HI", 7, number) + part
        segments += b"\xff\xeb" + struct.pack(">H", len(content) + 2) + content
    return body[:2] + segments + body[2:]


def with_c2pa_png() -> bytes:
    rows = b"".join(b"\0" + bytes(RED) * WIDTH for _ in range(HEIGHT))
    return png(WIDTH, HEIGHT, 8, 2, rows, (b"caBX", C2PA_BOX))


def with_c2pa_webp() -> bytes:
    body = saved(half_transparent(), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    chunk = b"C2PA" + struct.pack("<I", len(C2PA_BOX)) + C2PA_BOX + b"\0" * (len(C2PA_BOX) % 2)
    return b"RIFF" + struct.pack("<I", len(body) - 8 + len(chunk)) + body[8:] + chunk


def _frames() -> list[Image.Image]:
    return [picture(), Image.new("RGB", (WIDTH, HEIGHT), "gold")]


def _webp_canvas(side: int) -> bytes:
    """A WebP that claims a canvas of that side and holds a picture of 60x40."""
    body = bytearray(saved(half_transparent(), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    body[24:30] = (side - 1).to_bytes(3, "little") * 2
    return bytes(body)


def _jpeg_of(width: int, height: int) -> bytes:
    """A JPEG that claims that size."""
    body = bytearray(saved(picture(), "JPEG"))
    place = body.index(b"\xff\xc0")
    body[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(body)


def _damaged(body: bytes) -> bytes:
    """Bytes in its middle are others."""
    middle = len(body) // 2
    return body[:middle] + bytes(value ^ 0x5A for value in body[middle : middle + 40]) + body[middle + 40 :]


def noise(kind: str, **options: Any) -> bytes:
    """A picture that fills its file, so that half the file is half the picture."""
    levels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return saved(Image.fromarray(levels), kind, **options)


GOOD: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(picture(), "JPEG"),
    "jpeg, progressive": lambda: saved(picture(), "JPEG", progressive=True),
    "jpeg, grey": lambda: saved(picture("L"), "JPEG"),
    "jpeg, CMYK": lambda: saved(picture("CMYK"), "JPEG"),
    "jpeg with a thumbnail's worth of EXIF": lambda: with_orientation(1),
    "jpeg with a second picture (MPO)": lambda: saved(picture(), "MPO", save_all=True, append_images=_frames()[1:]),
    "jpeg with C2PA": with_c2pa_jpeg,
    "jpeg with a broken profile": lambda: saved(picture(), "JPEG", icc_profile=b"no profile at all" * 20),
    "png": lambda: saved(picture(), "PNG"),
    "png, opacity": lambda: saved(picture("RGBA"), "PNG"),
    "png, grey": lambda: saved(picture("L"), "PNG"),
    "png, grey with opacity": lambda: saved(picture("LA"), "PNG"),
    "png, palette": lambda: saved(picture("P"), "PNG"),
    "png, palette with a transparent colour": lambda: saved(picture("P"), "PNG", transparency=0),
    "png, RGB with a transparent colour": lambda: saved(picture(), "PNG", transparency=RED),
    "png, black and white": lambda: saved(picture("1"), "PNG"),
    "png, 16 bits grey": lambda: sixteen_bits(0),
    "png, 16 bits RGB": lambda: sixteen_bits(2),
    "png, 16 bits grey with opacity": lambda: sixteen_bits(4),
    "png, 16 bits RGB with opacity": lambda: sixteen_bits(6),
    "png with C2PA": with_c2pa_png,
    "webp": lambda: saved(picture(), "WEBP"),
    "webp, lossless": lambda: saved(picture(), "WEBP", lossless=True),
    "webp, opacity": lambda: saved(half_transparent(), "WEBP"),
    "webp with C2PA": with_c2pa_webp,
}
"""All 60x40."""

REFUSED_BY_HEADER: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "no-photo"),
    "text": (lambda: b"a photo, honestly", "unsupported-photo"),
    "gif": (lambda: saved(picture("P"), "GIF"), "unsupported-photo"),
    "bmp": (lambda: saved(picture(), "BMP"), "unsupported-photo"),
    "tiff": (lambda: saved(picture(), "TIFF"), "unsupported-photo"),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported-photo"),
    "pdf": (lambda: b"%PDF-1.7\n", "unsupported-photo"),
    "heic": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported-photo"),
    "avif": (lambda: b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "unsupported-photo"),
    "png, animated": (lambda: saved(_frames()[0], "PNG", save_all=True, append_images=_frames()[1:]), "animated-photo"),
    "webp, animated": (
        lambda: saved(_frames()[0], "WEBP", save_all=True, append_images=_frames()[1:]),
        "animated-photo",
    ),
    "png bomb": (lambda: png(50_000, 50_000, 1, 0, bytes(1000)), "too-many-pixels"),
    "jpeg bomb": (lambda: _jpeg_of(65_500, 65_500), "too-many-pixels"),
    "webp bomb": (lambda: _webp_canvas(16_000), "too-many-pixels"),
    "png of one long line": (lambda: png(65_501, 1, 1, 0, bytes(8189)), "photo-too-long"),
    "png of no width": (lambda: png(0, 40, 8, 2, b""), "unreadable-photo"),
    "jpeg of no height": (lambda: _jpeg_of(60, 0), "unreadable-photo"),
    "jpeg, cut off in its header": (lambda: with_orientation(1)[:100], "unreadable-photo"),
    "png, cut off in its header": (lambda: saved(picture(), "PNG")[:20], "unreadable-photo"),
    "webp, cut off in its header": (lambda: saved(picture(), "WEBP")[:18], "unreadable-photo"),
    "png of nothing but tiny chunks": (
        lambda: png(WIDTH, HEIGHT, 8, 2, b"", *[(b"teXt", b"")] * 5000),
        "unreadable-photo",
    ),
}
"""With the type of problem that the web answers."""

REFUSED_BY_DECODER: dict[str, Callable[[], bytes]] = {
    "jpeg, cut off": lambda: noise("JPEG")[: len(noise("JPEG")) // 2],
    "png, cut off": lambda: noise("PNG")[: len(noise("PNG")) // 2],
    "webp, cut off": lambda: noise("WEBP")[: len(noise("WEBP")) // 2],
    "png, damaged": lambda: _damaged(noise("PNG")),
    "webp whose canvas is no canvas": lambda: _webp_canvas(100),
}
