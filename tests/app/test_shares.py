"""Shared addresses: one picture, for whoever has the link, for a while."""

import time
from pathlib import Path

from app.access.keys import Scope
from app.access.keys_file import KeyFile
from app.access.links import SharedLinks
from tests.app.conftest import MakeWeb, Web
from tests.app.keyed import SECRET, bearer, keyed, make_key

FACE = "/v1/faces/7.png?truncation_psi=0.5"


def share(web: Web, key: str, address: str = FACE, **query: object) -> str:
    reply = web.client.post("/v1/shares", params={"address": address, **query}, headers=bearer(key))
    assert reply.status_code == 200, reply.text
    return str(reply.json()["address"])


def test_whoever_has_the_link_sees_this_picture_and_no_other(make_web: MakeWeb, tmp_path: Path) -> None:
    web = make_web(keyed(tmp_path))
    key = make_key(tmp_path, Scope.READ, Scope.GENERATE)
    link = share(web, key)
    seen = web.client.get(link)
    assert seen.status_code == 200
    assert seen.content == web.client.get(FACE, headers=bearer(key)).content
    assert web.client.head(link).status_code == 200
    # A year in a cache would outlast the link; and a cache for everybody asks nobody for a key.
    assert seen.headers["Cache-Control"] == "private, no-cache"
    assert web.client.get(link, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    assert web.client.get(FACE, headers=bearer(key)).headers["Cache-Control"].startswith("private, max-age=")
    for changed in (
        link.replace("/7.png", "/8.png"),
        link.replace("psi=0.5", "psi=0.6"),
        link.replace("expires=1", "expires=2"),
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link + "&size=16",
        link.replace("&signature", "&size=16&signature"),
    ):
        reply = web.client.get(changed)
        assert (reply.status_code, reply.json()["type"]) == (403, "/problems/link-refused"), changed
    assert web.client.get(FACE).status_code == 401
    assert web.client.post(link).status_code == 403


def test_an_address_without_parameters_is_shared_too(make_web: MakeWeb, tmp_path: Path) -> None:
    web = make_web(keyed(tmp_path))
    link = share(web, make_key(tmp_path, *Scope), "/v1/faces/7.png")
    assert web.client.get(link).status_code == 200


def test_a_link_ends_with_its_time_and_with_its_makers_key(make_web: MakeWeb, tmp_path: Path) -> None:
    web, file = make_web(keyed(tmp_path)), KeyFile(tmp_path / "keys.json")
    key = make_key(tmp_path, Scope.READ, Scope.GENERATE)
    key_id = file.read()[0].id
    over = SharedLinks((SECRET,)).sign(FACE, key_id, int(time.time()) - 1)
    assert web.client.get(over).json()["type"] == "/problems/link-refused"
    link = share(web, key, seconds=60)
    assert web.client.get(link).status_code == 200
    file.revoke(key_id)
    assert web.client.get(link).json()["type"] == "/problems/link-refused"
    nobodys = SharedLinks((SECRET,)).sign(FACE, "", int(time.time()) + 60)
    assert web.client.get(nobodys).json()["type"] == "/problems/link-refused"


def test_who_may_not_see_may_not_share(make_web: MakeWeb, tmp_path: Path) -> None:
    web, reader = make_web(keyed(tmp_path)), make_key(tmp_path, Scope.READ)
    reply = web.client.post("/v1/shares", params={"address": FACE}, headers=bearer(reader))
    assert (reply.status_code, reply.json()["needed"]) == (403, "generate")
    assert share(web, reader, f"/v1/jobs/{'0' * 32}/result").startswith("/v1/jobs/")


def test_only_pictures_are_shared(make_web: MakeWeb, tmp_path: Path) -> None:
    web, key = make_web(keyed(tmp_path)), make_key(tmp_path, *Scope)
    for address in (
        "/metrics",
        "/v1/models",
        f"https://example.org{FACE}",
        f"//x{FACE}",
        "/face",
        "/v1/faces/../jobs",
        "//[",
    ):
        reply = web.client.post("/v1/shares", params={"address": address}, headers=bearer(key))
        assert (reply.status_code, reply.json()["type"]) == (422, "/problems/not-shareable"), address


def test_secrets_can_be_replaced_one_after_the_other(make_web: MakeWeb, tmp_path: Path) -> None:
    old = SharedLinks((SECRET,)).sign(FACE, "", int(time.time()) + 60)
    both, new = "b" * 32, "c" * 32
    assert make_web(keyed(tmp_path, keys=None, share_secrets=(both, SECRET))).client.get(old).status_code == 200
    assert make_web(keyed(tmp_path, keys=None, share_secrets=(new,))).client.get(old).status_code == 403


def test_without_a_secret_nothing_is_shared(web: Web) -> None:
    reply = web.client.post("/v1/shares", params={"address": FACE})
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/sharing-off")
    assert web.client.get(f"{FACE}&by=&expires=9999999999&signature={'0' * 64}").status_code == 403
