"""Pictures that move: signed as stills are, and each mark of theirs is read."""

import struct
from functools import cache

import numpy as np
import pytest

from jobs.contract import AnimationFormat
from marks import xmp
from marks.animations import GIF_EXTENSION, MP4_UUID, gif_with_xmp, gif_xmp, mp4_with_xmp, mp4_xmp
from marks.credentials import Credentials, media_type_of
from marks.recipe import Recipe
from marks.verify import Verdict, verify
from marks.watermark import Pixels, marked
from marks.words import watermark_words, xmp_words
from tests.marks.pictures import scene
from worker.animations import animation

RECIPE = Recipe("morph", "faces", "0f1e2d3c4b5a6978", parameters={"seeds": "1,2", "frames": 4, "fps": 8, "loop": True})
PACKET = xmp.packet(RECIPE)
MOST_ADDED = 4096
each_format = pytest.mark.parametrize("moving", list(AnimationFormat), ids=str)


@cache
def film(moving: AnimationFormat, packet: bytes = PACKET, side: int = 160) -> bytes:
    frames: list[Pixels] = [marked(np.roll(scene(side), 3 * step, axis=1)) for step in range(4)]
    return animation(frames, moving, 8, loop=True, xmp=packet)


@pytest.fixture(scope="module", params=list(AnimationFormat), ids=str)
def leaving(request: pytest.FixtureRequest, credentials: Credentials) -> tuple[AnimationFormat, bytes]:
    """A morph as it leaves the service, with every mark."""
    body = film(request.param)
    signed = credentials.signed(body, request.param.media_type, RECIPE)
    assert len(signed) - len(body) < MOST_ADDED
    return request.param, signed


def test_every_mark_is_read(leaving: tuple[AnimationFormat, bytes], credentials: Credentials) -> None:
    moving, body = leaving
    report = verify(body, credentials.root)
    assert media_type_of(body) == moving.media_type
    assert report.verdict is Verdict.OURS, report.credentials
    assert report.recipe == RECIPE
    assert "faces drawn that turn into one another by the model faces" in xmp_words(report.xmp)
    if moving is AnimationFormat.MP4:
        assert not report.pixels_readable
        assert "not looked for" in watermark_words(report)
    else:
        assert report.watermark.found


def test_a_changed_byte_is_told(leaving: tuple[AnimationFormat, bytes], credentials: Credentials) -> None:
    body = leaving[1]
    place = body.index(b"trainedAlgorithmicMedia", body.index(PACKET[:20]))
    filling = body.index(b"cpadY") + 100
    for at in (place, filling, len(body) - len(body) // 5, len(body) // 2):
        changed = bytearray(body)
        changed[at] ^= 1
        assert verify(bytes(changed), credentials.root).verdict is Verdict.CHANGED, at


@each_format
def test_unsigned_ones_tell_their_recipe(moving: AnimationFormat) -> None:
    report = verify(film(moving))
    assert (report.verdict, report.credentials, report.recipe) == (Verdict.MARKED, None, RECIPE)


@each_format
def test_plain_ones_say_nothing(moving: AnimationFormat) -> None:
    report = verify(animation([scene(64)] * 3, moving, 8, loop=False, xmp=b""))
    assert (report.verdict, report.xmp) == (Verdict.UNMARKED, None)


def test_a_packet_is_found_wherever_others_put_it() -> None:
    gif = film(AnimationFormat.GIF, b"", 32)
    extension = gif_with_xmp(b"GIF89a" + bytes(7), PACKET)[13:]
    assert extension.startswith(GIF_EXTENSION)
    assert gif_xmp(gif[:-1] + extension + b";") == PACKET, "behind the frames"
    mp4 = film(AnimationFormat.MP4, b"", 32)
    box = mp4_with_xmp(b"", PACKET)
    large = struct.pack(">I4sQ", 1, b"uuid", len(PACKET) + 32) + MP4_UUID + PACKET
    to_the_end = struct.pack(">I4s", 0, b"uuid") + MP4_UUID + PACKET
    first = int.from_bytes(mp4[:4], "big")
    for whole in (mp4 + box, mp4[:first] + box + mp4[first:], mp4 + large, mp4 + to_the_end):
        assert mp4_xmp(whole) == PACKET


@pytest.mark.parametrize("cut", [1, 3, 20, 100, 399])
def test_broken_ones_are_told_apart_from_bugs(cut: int) -> None:
    gif, mp4 = gif_with_xmp(film(AnimationFormat.GIF, b"", 16), PACKET), film(AnimationFormat.MP4, PACKET, 16)
    assert gif_xmp(gif[: min(len(gif) - 1, 13 + cut)]) is None
    assert mp4_xmp(mp4[:-cut]) is None
    assert gif_xmp(gif[:13]) is None
    assert mp4_xmp(struct.pack(">I4s", 3, b"free") + mp4) is None
