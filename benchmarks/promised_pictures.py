"""Promises about pictures: the same one for ever, the size that came in, and refusals that cost nothing."""

import io
import random
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from benchmarks.promised import Here, Row, in_ms
from benchmarks.stage import resident_mb

CROWD = 32
CHUNK = b"0" * 65536
PIXELS = ((64, 48), (33, 201), (301, 97), (128, 128), (515, 260), (77, 640))


def the_same_face(here: Here) -> Iterator[Row]:
    """Alone and among others, whose batches differ. A size that is not the model's is asked for once more each time, so
    that no cache answers."""
    seeds = range(7_000_000, 7_000_000 + here.rounds)
    alone = [here.client.get(f"/v1/faces/{seed}.png") for seed in seeds]
    again = [here.client.get(f"/v1/faces/{seed}.png") for seed in seeds]
    equal = sum(one.content == other.content for one, other in zip(alone, again, strict=True))
    # Another truncation in the last digit that is drawn alike: another address, so another drawing.
    crowd = [f"/v1/faces/{seed}.png?truncation_psi=0.7000001" for seed in seeds]
    others = [f"/v1/faces/{8_000_000 + number}.png" for number in range(CROWD)]
    asked = [*crowd, *others]
    random.Random(0).shuffle(asked)
    with ThreadPoolExecutor(CROWD) as pool:
        found = dict(zip(asked, pool.map(here.client.get, asked), strict=True))
    most = max(
        int(np.abs(_pixels(one.content) - _pixels(found[address].content)).max())
        for one, address in zip(alone, crowd, strict=True)
    )
    yield Row(
        "the same seed again, and among others",
        "equal bytes, 1/255",
        f"{equal} of {len(alone)} equal, {most}/255 among {CROWD}",
        equal == len(alone) and most <= 1,
    )


def photo_of_another_size(here: Here) -> Iterator[Row]:
    draw = np.random.default_rng(0)
    right = 0
    for width, height in PIXELS:
        encoded = io.BytesIO()
        Image.fromarray(draw.integers(0, 256, (height, width, 3), np.uint8)).save(encoded, "JPEG")
        typed = {"Content-Type": "image/jpeg"}
        reply = here.client.post(
            "/v1/translations", params={"style": "monet"}, content=encoded.getvalue(), headers=typed
        )
        with Image.open(io.BytesIO(reply.raise_for_status().content)) as painted:
            right += painted.size == (width, height)
    told = f"{right} of {len(PIXELS)} odd sizes"
    yield Row("a photo comes back as large as it was", "all", told, right == len(PIXELS))


def bombs(here: Here) -> Iterator[Row]:
    """Headers that say 60,000 pixels a side. A connection that is open already sends each."""
    before = resident_mb(here.stage.web.popen.pid)
    took = list[float]()
    for _ in range(here.rounds):
        began = time.monotonic()
        typed = {"Content-Type": "image/png"}
        reply = here.client.post("/v1/translations", params={"style": "monet"}, content=_bomb(60_000), headers=typed)
        took.append(time.monotonic() - began)
        if reply.status_code != 422:
            raise SystemExit(f"Not refused: {reply.status_code} {reply.text}")
    more = max(resident_mb(here.stage.web.popen.pid) - before, 0.0)
    told = f"{in_ms(took)}; {more:.1f} MB"
    yield Row("a picture that would be too large is refused", "20 ms, 5 MB more", told, max(took) <= 0.02 and more <= 5)


def endless_body(here: Here) -> Iterator[Row]:
    """A body without a length or an end. What is sent before the refusal also fills the buffers of both sockets."""
    limit = 10 * 2**20
    before = resident_mb(here.stage.web.popen.pid)
    sent, status = _sent_without_end(here.stage.port)
    more = max(resident_mb(here.stage.web.popen.pid) - before, 0.0)
    told = f"{status} after {sent / 2**20:.1f} MiB, which is {sent / limit:.2f} times the limit; {more:.1f} MB more"
    yield Row(
        "a body without end is cut at the limit", "413, nothing beyond", told, status == 413 and sent < 1.7 * limit
    )


def _pixels(encoded: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(encoded)) as picture:
        return np.asarray(picture.convert("RGB"), np.int16)


def _bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _sent_without_end(port: int) -> tuple[int, int]:
    """How much was sent until the answer was there, and its status."""
    head = (
        "POST /v1/translations?style=monet HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/jpeg\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    sent, answered = 0, b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode())
        try:
            connection.sendall(f"{len(CHUNK):x}\r\n".encode() + b"\xff\xd8\xff\xe0" + CHUNK[4:] + b"\r\n")
            while not (answered := _answer(connection)):
                connection.sendall(f"{len(CHUNK):x}\r\n".encode() + CHUNK + b"\r\n")
                sent += len(CHUNK)
        except (BrokenPipeError, ConnectionResetError):
            connection.settimeout(1)
            answered = connection.recv(4096)
    return sent, int(answered.split(b" ", 2)[1])


def _answer(connection: socket.socket) -> bytes:
    connection.setblocking(False)
    try:
        return connection.recv(4096)
    except BlockingIOError:
        return b""
    finally:
        connection.setblocking(True)
