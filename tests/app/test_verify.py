"""POST /v1/verify and its page, with pictures that a real worker made, marked and signed."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.config import AppConfig
from app.web import create_app
from jobs.memory_queue import MemoryQueue
from marks import xmp
from marks.animations import mp4_with_xmp
from marks.certificates import make_chain
from marks.errors import CertificateRefused
from marks.watermark import marked
from models.catalogue import Catalogue
from tests.app.conftest import Web
from tests.app.service import catalogue, manifest, serving, until
from tests.marks.pictures import RECIPE, encoded, scene
from tests.tiny_model import TINY
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.loop import Worker


@dataclass
class House:
    """A service that signs."""

    client: httpx.Client
    digest: str

    def verify(self, body: bytes) -> dict[str, Any]:
        reply = self.client.post("/v1/verify", content=body)
        assert reply.status_code == 200, reply.text
        assert reply.headers["Cache-Control"] == "no-store"
        document: dict[str, Any] = reply.json()
        return document


@contextmanager
def house(store: Catalogue, folder: Path) -> Iterator[House]:
    chain, key = make_chain("a house")
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(key)
    queue = MemoryQueue()
    config = WorkerConfig(
        "test", device="cpu", threads=1, certificate=folder / "chain.pem", certificate_key=folder / "key.pem"
    )
    worker = Worker(config, queue.source, LoadedModels(store, config))
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        app = create_app(
            AppConfig(default_model=TINY, ready_faces=0, certificate=folder / "chain.pem"), queue.submitter, store
        )
        with serving(app) as client:
            until(lambda: worker.ready, timeout_s=60)
            yield House(client, store.named(TINY).manifest.digest)
    finally:
        worker.stop()
        thread.join(10)


@pytest.fixture(scope="module")
def ours(tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    from models.catalogue import find_models

    store = find_models(tiny_store, bundled=tmp_path_factory.mktemp("nothing-bundled"))
    with house(store, tmp_path_factory.mktemp("certs")) as running:
        yield running


@pytest.mark.parametrize("picture_format", ["jpg", "png", "webp"])
def test_a_face_of_the_service_is_known_as_its_own(ours: House, picture_format: str) -> None:
    face = ours.client.get(f"/v1/faces/18446744073709551615.{picture_format}?truncation_psi=0.5")
    found = ours.verify(face.content)
    assert found["verdict"] == "ours"
    assert found["c2pa"]["state"] == "trusted"
    assert found["c2pa"]["signed_by"] == "a house pictures, a house"
    assert found["c2pa"]["source_type"].endswith("/trainedAlgorithmicMedia")
    assert found["xmp"]["source_type"].endswith("/trainedAlgorithmicMedia")
    recipe = found["recipe"]
    assert (recipe["model"], recipe["digest"], recipe["seed"]) == (TINY, ours.digest, "18446744073709551615")
    again = ours.client.get(recipe["address"].replace(".jpg", f".{picture_format}"))
    assert np.array_equal(pixels(again.content), pixels(face.content)), "the recipe leads to the same pixels"
    assert again.content != face.content, "signed anew"
    assert again.headers["ETag"] == face.headers["ETag"]
    assert ours.client.get(recipe["page"]).status_code == 200


def test_a_mixed_face_and_a_morph_lead_back_to_themselves(ours: House) -> None:
    mixed = ours.client.get("/v1/faces/7.png?mix=9:0-3,4:7:0.5")
    recipe = ours.verify(mixed.content)["recipe"]
    again = ours.client.get(recipe["address"].replace(".jpg", ".png"))
    assert np.array_equal(pixels(again.content), pixels(mixed.content))
    morph = ours.client.get("/v1/morphs?seeds=1,2,3&frames=3&fps=5&truncation_psi=0.5&mix=9:0-1")
    found = ours.verify(morph.content)
    assert found["recipe"]["kind"] == "morph"
    assert found["recipe"]["address"] == morph.headers["Content-Location"]
    page = found["recipe"]["page"]
    assert all(part in page for part in ("seed=1", "to=2", "truncation_psi=0.5", "mix=9:0-1"))
    assert "Watch it turn into 2" in ours.client.get(page).text
    moving = ours.client.post("/v1/translations?style=nobody", content=morph.content)
    assert moving.json()["type"] != "/problems/internal-error", "elsewhere it is no photo"


@pytest.mark.parametrize("query", ["seed=5&count=3&format=png", "seeds=9,2&columns=1&size=32&truncation_psi=0.5"])
def test_a_grid_leads_back_to_itself(ours: House, query: str) -> None:
    grid = ours.client.get(f"/v1/grids?{query}")
    found = ours.verify(grid.content)
    assert (found["verdict"], found["recipe"]["kind"]) == ("ours", "grid")
    # The format is no part of a recipe.
    assert found["recipe"]["address"] == grid.headers["Content-Location"].replace("format=png", "format=jpg")
    first = "5" if "seed=5" in query else "9"
    assert f"seed={first}&" in found["recipe"]["page"]
    assert ours.client.get(found["recipe"]["page"]).status_code == 200


@pytest.mark.parametrize("moving", ["webp", "gif", "mp4"])
def test_whatever_moves_is_known_as_its_own_and_a_changed_byte_is_told(ours: House, moving: str) -> None:
    morph = ours.client.get(f"/v1/morphs?seeds=1,2&frames=3&fps=5&format={moving}")
    found = ours.verify(morph.content)
    assert (found["verdict"], found["c2pa"]["state"], found["recipe"]["kind"]) == ("ours", "trusted", "morph")
    assert ours.client.get(found["recipe"]["address"]).status_code == 200
    if moving == "mp4":
        assert "films are not decoded" in found["watermark"]["says"]
    changed = bytearray(morph.content)
    # Where a changed bit leaves it readable: in the palette of a GIF, amid the frames of the others.
    changed[16 if moving == "gif" else len(changed) // 2] ^= 1
    assert ours.verify(bytes(changed))["verdict"] == "changed"
    form = ours.client.post("/verify", files={"photo": morph.content})
    assert "This service made this file" in form.text


def test_a_gif_is_as_large_as_its_first_frame_asks_for(ours: House) -> None:
    gif = bytearray(encoded(scene(64), "GIF"))
    frame = gif.index(b"\x2c\0\0\0\0\x40\0\x40\0")
    gif[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    assert ours.client.post("/v1/verify", content=bytes(gif)).json()["type"] == "/problems/too-many-pixels"
    assert ours.verify(encoded(scene(64), "GIF"))["verdict"] == "unmarked"


def test_metadata_in_no_known_encoding_are_no_error_and_hide_no_other_mark(ours: House) -> None:
    odd = b'<?xml version="1.0" encoding="foo"?><x/>'
    photo = ours.verify(encoded(marked(scene(256)), xmp=odd, quality=95))
    assert (photo["verdict"], photo["watermark"]["found"], photo["xmp"]["source_type"]) == ("marked", True, None)
    film = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0\0\0\x08mdat"
    assert ours.verify(mp4_with_xmp(film, odd))["xmp"]["source_type"] is None
    assert ours.client.post("/verify", files={"photo": mp4_with_xmp(film, odd)}).status_code == 200


def test_faces_of_the_pool_and_of_the_page_are_signed_too(ours: House) -> None:
    assert ours.verify(ours.client.get("/face").content)["verdict"] == "ours"


def test_one_altered_byte_is_told(ours: House) -> None:
    body = bytearray(ours.client.get("/v1/faces/7.jpg").content)
    body[-20] ^= 1
    found = ours.verify(bytes(body))
    assert found["verdict"] == "changed"
    assert found["c2pa"]["state"] == "invalid"
    assert found["sentence"] == "This file was signed by a house pictures, a house and has been changed since."


def test_an_altered_recipe_is_told(ours: House) -> None:
    body = ours.client.get("/v1/faces/7.jpg").content
    forged = body.replace(b"&quot;seed&quot;:&quot;7&quot;", b"&quot;seed&quot;:&quot;8&quot;")
    forged = forged if forged != body else body.replace(b'"seed":"7"', b'"seed":"8"')
    assert forged != body
    found = ours.verify(forged)
    assert (found["verdict"], found["recipe"]["seed"]) == ("changed", "8")


def test_without_metadata_the_watermark_of_a_large_picture_is_left(ours: House) -> None:
    stripped = encoded(marked(scene(512)), quality=75)
    found = ours.verify(stripped)
    assert (found["verdict"], found["c2pa"]["state"]) == ("marked", "absent")
    assert found["watermark"]["found"] is True
    assert found["watermark"]["score"] > found["watermark"]["threshold"]
    assert found["recipe"] is None


def test_somebodys_photo_is_unmarked(ours: House) -> None:
    found = ours.verify(encoded(scene(256)))
    assert (found["verdict"], found["watermark"]["found"]) == ("unmarked", False)


@pytest.mark.parametrize(
    "parameters",
    [{"truncation_psi": 7}, {"size": 100_000}, {"size": "x"}, {"class": 3}, {"href": "javascript:alert(1)"}],
)
def test_a_recipe_of_anybodys_leads_nowhere(ours: House, parameters: dict[str, Any]) -> None:
    from dataclasses import replace

    recipe = replace(RECIPE, digest=ours.digest, parameters=parameters)
    found = ours.verify(encoded(scene(64), xmp=xmp.packet(recipe)))
    assert found["verdict"] == "marked"
    address = found["recipe"]["address"]
    assert address is None or ours.client.get(address).status_code == 200


@pytest.mark.parametrize("parameters", [{"smile": "\ud800"}, {"\ud800": 1}])
def test_a_recipe_with_half_a_character_is_none(ours: House, parameters: dict[str, Any]) -> None:
    from dataclasses import replace

    found = ours.verify(encoded(scene(64), xmp=xmp.packet(replace(RECIPE, parameters=parameters))))
    assert found["recipe"] is None


def test_a_recipe_for_a_model_that_is_not_here_has_no_address(ours: House) -> None:
    found = ours.verify(encoded(scene(64), xmp=xmp.packet(RECIPE)))
    assert (found["recipe"]["digest"], found["recipe"]["address"]) == (RECIPE.digest, None)


def test_a_form_is_taken_too(ours: House) -> None:
    reply = ours.client.post("/v1/verify", files={"photo": encoded(scene(64), "PNG")})
    assert reply.json()["verdict"] == "unmarked"


def test_what_is_no_picture_is_a_problem_document(web: Web) -> None:
    for body, slug, status in (
        (b"", "no-photo", 422),
        (b"GIF89a" + bytes(100), "unreadable-photo", 422),
        (b"BM" + bytes(100), "unsupported-photo", 415),
        (encoded(scene(64))[:300], "unreadable-photo", 422),
        (bytes(11 * 1024 * 1024), "upload-too-big", 413),
    ):
        reply = web.client.post("/v1/verify", content=body)
        assert (reply.json()["type"], reply.status_code) == (f"/problems/{slug}", status)
    assert web.client.post("/v1/verify?x=1", content=b"").json()["type"] == "/problems/unknown-parameter"


def test_a_service_without_certificate_trusts_nobody(web: Web, ours: House) -> None:
    found = web.client.post("/v1/verify", content=ours.client.get("/face").content).json()
    assert (found["verdict"], found["c2pa"]["state"]) == ("signed", "valid")


def test_a_broken_certificate_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_text("nothing")
    with pytest.raises(CertificateRefused):
        create_app(AppConfig(certificate=tmp_path / "chain.pem"), MemoryQueue().submitter, catalogue(manifest()))


def test_the_page_asks_and_answers_without_any_script(ours: House) -> None:
    asking = ours.client.get("/verify")
    assert asking.status_code == 200
    assert 'enctype="multipart/form-data"' in asking.text
    assert len(asking.content) < 50_000
    answer = ours.client.post("/verify", files={"photo": ours.client.get("/v1/faces/7.jpg").content})
    assert answer.status_code == 200
    assert "This service made this file" in answer.text
    assert "Signed by a house pictures, a house" in answer.text
    assert "from the seed 7" in answer.text
    assert 'id="again"' in answer.text


def test_the_page_tells_a_problem_under_its_status(ours: House) -> None:
    answer = ours.client.post("/verify", files={"photo": b"BM"})
    assert answer.status_code == 415
    assert 'role="alert"' in answer.text


def test_what_a_file_says_is_text_on_the_page_never_markup(ours: House) -> None:
    from dataclasses import replace

    recipe = replace(RECIPE, model="<script>alert(1)</script>", parameters={"<b>": '"><img src=x>'})
    answer = ours.client.post("/verify", files={"photo": encoded(scene(64), xmp=xmp.packet(recipe))})
    assert "<script>alert" not in answer.text
    assert "<img src=x>" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)))
