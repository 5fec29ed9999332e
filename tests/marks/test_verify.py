from dataclasses import replace

import numpy as np
import pytest

from marks import xmp
from marks.certificates import make_chain
from marks.credentials import Credentials
from marks.errors import NotAPicture
from marks.recipe import Ingredient, SourceType
from marks.verify import Verdict, ingredient_of, verify
from marks.watermark import marked
from tests.marks.pictures import RECIPE, encoded, opened, scene


@pytest.fixture(scope="module")
def leaving(credentials: Credentials) -> bytes:
    """A picture as it leaves the service, with every mark."""
    body = encoded(marked(scene(256)), xmp=xmp.packet(RECIPE), quality=95)
    return credentials.signed(body, "image/jpeg", RECIPE)


def test_every_mark_is_read(leaving: bytes, credentials: Credentials) -> None:
    report = verify(leaving, credentials.root)
    assert report.verdict is Verdict.OURS
    assert report.credentials is not None
    assert report.credentials.state == "trusted"
    assert report.recipe == RECIPE
    assert report.watermark.found
    assert report.sentence == (
        "This service made this file, and not a byte of it has changed since. "
        "It says that it is made by a generative model."
    )


def test_what_another_service_signed_is_not_ours(leaving: bytes) -> None:
    report = verify(leaving, make_chain("somebody else")[0])
    assert report.verdict is Verdict.SIGNED
    assert report.sentence.startswith("personne on a bench pictures, personne on a bench signed this file")


def test_one_changed_bit_of_the_picture_is_told(leaving: bytes, credentials: Credentials) -> None:
    changed = bytearray(leaving)
    changed[-1000] ^= 1
    report = verify(bytes(changed), credentials.root)
    assert report.verdict is Verdict.CHANGED
    assert report.credentials is not None
    assert report.credentials.reasons == ("The picture or its metadata has changed since it was signed.",)
    assert "has been changed since" in report.sentence


def test_without_metadata_the_watermark_is_left(leaving: bytes, credentials: Credentials) -> None:
    stripped = encoded(np.asarray(opened(leaving).resize((200, 200))), quality=75)
    report = verify(stripped, credentials.root)
    assert (report.verdict, report.credentials, report.xmp) == (Verdict.MARKED, None, None)
    assert "watermark of personne is in the pixels" in report.sentence


def test_metadata_alone_prove_nothing() -> None:
    report = verify(encoded(scene(64), "PNG", xmp.packet(RECIPE)))
    assert (report.verdict, report.watermark.found) == (Verdict.MARKED, False)
    assert "anybody could have written that" in report.sentence


def test_a_plain_picture_is_unmarked() -> None:
    report = verify(encoded(scene(256), "WEBP"))
    assert report.verdict is Verdict.UNMARKED
    assert "That does not make it a photograph" in report.sentence


def test_metadata_in_no_known_encoding_hide_no_other_mark(credentials: Credentials) -> None:
    body = encoded(marked(scene(256)), xmp=b'<?xml version="1.0" encoding="foo"?><x/>', quality=95)
    assert ingredient_of(body) == Ingredient(watermark=True)
    report = verify(credentials.signed(body, "image/jpeg", RECIPE), credentials.root)
    assert (report.verdict, report.xmp, report.watermark.found) == (Verdict.OURS, None, True)


def test_what_one_reader_falls_over_hides_no_other_mark(
    leaving: bytes, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def falls(*_: object) -> None:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as patched:
        patched.setattr("marks.xmp.read", falls)
        report = verify(leaving, credentials.root)
        assert (report.verdict, report.xmp, report.watermark.found) == (Verdict.OURS, None, True)
    monkeypatch.setattr("marks.credentials.read", falls)
    report = verify(leaving, credentials.root)
    assert (report.verdict, report.recipe, report.watermark.found) == (Verdict.CHANGED, RECIPE, True)
    assert report.credentials is not None
    assert report.credentials.reasons == ("The credentials are damaged.",)


def test_a_photos_marks_are_kept_as_history(leaving: bytes) -> None:
    assert ingredient_of(leaving) == Ingredient(
        SourceType.MADE.value, RECIPE.software, "personne on a bench pictures, personne on a bench", True
    )
    assert ingredient_of(encoded(scene(64))) == Ingredient()
    painting = replace(RECIPE, ingredient=ingredient_of(leaving))
    assert verify(encoded(scene(64), xmp=xmp.packet(painting))).recipe == painting


@pytest.mark.parametrize("body", [b"", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(NotAPicture, match="no JPEG, PNG, WebP, GIF or MP4"):
        verify(body)


def test_a_bomb_is_refused_from_its_header() -> None:
    import struct
    import zlib

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    with pytest.raises(NotAPicture):
        verify(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4))
