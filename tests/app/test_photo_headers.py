import pytest

from app.errors import PROBLEMS, AppError
from app.photo_headers import read_header
from jobs.contract import PictureFormat
from tests.photo_files import C2PA_BOX, GOOD, HEIGHT, REFUSED_BY_HEADER, WIDTH, picture, saved


@pytest.mark.parametrize("name", GOOD)
def test_every_good_photo_says_what_it_is(name: str) -> None:
    header = read_header(GOOD[name]())
    kinds = {"jpeg": PictureFormat.JPEG, "png": PictureFormat.PNG, "webp": PictureFormat.WEBP}
    kind = kinds[name.split(maxsplit=1)[0].strip(",")]
    assert (header.format, header.width, header.height) == (kind, WIDTH, HEIGHT)
    assert header.c2pa == (C2PA_BOX if "C2PA" in name else b"")


@pytest.mark.parametrize(
    "name", [name for name, (_, slug) in REFUSED_BY_HEADER.items() if slug not in ("too-many-pixels", "photo-too-long")]
)
def test_every_stranger_is_refused_in_its_own_way(name: str) -> None:
    make, slug = REFUSED_BY_HEADER[name]
    with pytest.raises(AppError) as refused:
        read_header(make())
    assert PROBLEMS[type(refused.value)].slug == slug


def test_what_it_is_instead_is_named() -> None:
    for name, word in (("heic", "A HEIC"), ("gif", "A GIF"), ("text", "This file")):
        with pytest.raises(AppError, match=f"^{word} cannot be read; JPEG, PNG and WebP can"):
            read_header(REFUSED_BY_HEADER[name][0]())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_cut_and_no_flipped_byte_makes_it_fall(kind: str) -> None:
    body = saved(picture(), kind)
    for length in range(0, len(body), 7):
        _read_or_refused(body[:length])
    for place in range(min(len(body), 400)):
        _read_or_refused(body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :])


def _read_or_refused(body: bytes) -> None:
    try:
        header = read_header(body)
    except AppError as error:
        assert type(error) in PROBLEMS
    else:
        assert header.width > 0 < header.height
