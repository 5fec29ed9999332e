import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import c2pa
import pytest

from marks import xmp
from marks.certificates import make_chain
from marks.credentials import SETTINGS, Credentials, read
from marks.recipe import Ingredient, SourceType
from tests.marks.pictures import FORMATS, RECIPE, encoded, opened, scene

PAINTING = replace(RECIPE, kind="translate", seed=None, ingredient=Ingredient())


@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_signed_picture_says_who_and_what(credentials: Credentials, picture_format: str) -> None:
    plain = encoded(scene(128), picture_format, xmp.packet(RECIPE))
    signed = credentials.signed(plain, FORMATS[picture_format], RECIPE)
    assert len(signed) - len(plain) <= 4096
    assert opened(signed).tobytes() == opened(plain).tobytes()
    assert xmp.read(opened(signed)) == xmp.read(opened(plain))
    found = read(signed, credentials.root)
    assert found is not None
    assert (found.state, found.source_type, found.ingredients) == ("trusted", SourceType.MADE, 0)
    assert found.signed_by == "personne on a bench pictures, personne on a bench"
    assert found.software == RECIPE.software
    assert read(plain, credentials.root) is None


def test_whom_nobody_knows_is_valid_but_not_trusted(credentials: Credentials) -> None:
    signed = credentials.signed(encoded(scene(64)), "image/jpeg", RECIPE)
    assert [read(signed).state, read(signed, make_chain("other")[0]).state] == ["valid", "valid"]  # type: ignore[union-attr]


def test_signing_twice_gives_two_files_of_the_same_picture(credentials: Credentials) -> None:
    plain = encoded(scene(64))
    first, second = (credentials.signed(plain, "image/jpeg", RECIPE) for _ in range(2))
    assert first != second
    assert opened(first).tobytes() == opened(second).tobytes()


@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_changed_byte_is_told(credentials: Credentials, picture_format: str) -> None:
    """Wherever it is, the filling of the signature included; but C2PA leaves the frame of its own container unsigned:
    some 70 bytes of lengths and labels."""
    plain = encoded(scene(256), picture_format, xmp.packet(RECIPE))
    signed = credentials.signed(plain, FORMATS[picture_format], RECIPE)
    begins = signed.find(b"jumb") - 40
    container = range(max(0, begins), min(len(signed), begins + 40 + len(signed) - len(plain)))
    places = sorted({*range(2, len(signed), len(signed) // 150), *container[::10]})
    untold = [place for place in places if not told(signed, place, credentials.root)]
    assert [place for place in untold if place not in container] == []
    assert len(untold) <= 0.04 * len(container[::10])


def told(signed: bytes, place: int, root: bytes) -> bool:
    """Whether a flipped bit there is noticed: the credentials are invalid, or can no longer be found."""
    changed = bytearray(signed)
    changed[place] ^= 0x10
    found = read(bytes(changed), root)
    return found is None or found.state == "invalid"


def test_a_photo_and_its_own_credentials_go_on_as_ingredient(credentials: Credentials) -> None:
    photo = credentials.signed(encoded(scene(128, seed=2), "PNG"), "image/png", RECIPE)
    plain = encoded(scene(128), xmp=xmp.packet(PAINTING))
    signed = credentials.signed(plain, "image/jpeg", PAINTING, photo)
    found = read(signed, credentials.root)
    assert found is not None
    assert (found.state, found.source_type) == ("trusted", SourceType.COMPOSITE)
    assert (found.ingredients, found.ingredients_signed_by) == (
        1,
        ("personne on a bench pictures, personne on a bench",),
    )


@pytest.mark.parametrize("photo", [encoded(scene(64)), encoded(scene(64), "WEBP"), b"\xff\xd8\xffdamaged", b""])
def test_a_photo_without_credentials_is_an_ingredient_all_the_same(credentials: Credentials, photo: bytes) -> None:
    signed = credentials.signed(encoded(scene(64)), "image/jpeg", PAINTING, photo)
    found = read(signed, credentials.root)
    assert found is not None
    assert (found.state, found.ingredients, found.ingredients_signed_by) == ("trusted", 1, ())


def test_a_photo_whose_credentials_are_broken_does_not_break_the_result(credentials: Credentials) -> None:
    photo = bytearray(credentials.signed(encoded(scene(64)), "image/jpeg", RECIPE))
    photo[-100] ^= 1
    signed = credentials.signed(encoded(scene(64)), "image/jpeg", PAINTING, bytes(photo))
    found = read(signed, credentials.root)
    assert found is not None
    assert found.state == "trusted"


def test_several_threads_sign_at_once(credentials: Credentials) -> None:
    plain = encoded(scene(64))
    with ThreadPoolExecutor(4) as pool:
        signed = list(pool.map(lambda _: credentials.signed(plain, "image/jpeg", RECIPE), range(32)))
    assert {read(one, credentials.root).state for one in signed} == {"trusted"}  # type: ignore[union-attr]


def test_damaged_credentials_are_invalid_not_an_error(credentials: Credentials) -> None:
    signed = credentials.signed(encoded(scene(64)), "image/jpeg", RECIPE)
    start = signed.find(b"jumb") + 60
    damaged = read(signed[:start] + b"\xff" * 300 + signed[start + 300 :])
    assert damaged is not None
    assert damaged.state == "invalid"
    for cut in range(20, len(signed), 500):
        assert read(signed[:cut]) is None or read(signed[:cut]).state == "invalid"  # type: ignore[union-attr]


def test_reading_never_fetches_what_a_file_names(chain_and_key: tuple[bytes, bytes]) -> None:
    asked: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        chain, key = chain_and_key
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
        with c2pa.Builder({"claim_generator_info": [{"name": "x"}]}, c2pa.Context.from_dict(dict(SETTINGS))) as builder:
            builder.set_no_embed()
            builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/manifest")
            file = io.BytesIO()
            builder.sign(signer, "image/jpeg", io.BytesIO(encoded(scene(64))), file)
        assert b"/manifest" in file.getvalue()
        read(file.getvalue())
        assert asked == []
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader("image/jpeg", io.BytesIO(file.getvalue()), context=c2pa.Context())
        assert asked == ["/manifest"], "by its own settings c2pa would have fetched it"
    finally:
        server.shutdown()
        server.server_close()
