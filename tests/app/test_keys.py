"""Keys at the door: every route is closed unless it was declared, and nothing opens it but the right key."""

import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.access.keys import Scope, draw_key, is_wellformed
from app.access.keys_file import KeyFile
from app.access.scopes import OPEN, SCOPES
from app.errors.access import KeysUnreadable
from app.web import create_app
from jobs.queue import DEFAULT_POLICY
from tests.app.conftest import MakeWeb, Web, submitter_and_source
from tests.app.keyed import bearer, keyed, make_key
from tests.app.service import catalogue, manifest, serving

EXAMPLES = {
    "seed": "7",
    "extension": "png",
    "job_id": "0" * 32,
    "digest": "0" * 16,
    "moment": "after",
    "slug": "not-found",
}


def all_routes(app: FastAPI) -> list[str]:
    """`METHOD /template` of everything that is routed, hidden or not."""
    found = []
    for route in iter_route_contexts(app.routes):
        methods = set(getattr(route, "methods", None) or ()) - {"HEAD"}
        found += [f"{method} {route.path}" for method in methods]
    return sorted(set(found))


def an_app(folder: Path) -> FastAPI:
    submitter, _ = submitter_and_source(DEFAULT_POLICY)
    return create_app(keyed(folder), submitter, catalogue(manifest()))


def filled(template: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: EXAMPLES.get(found[1], "x"), template)


def test_every_route_has_a_scope(tmp_path: Path) -> None:
    routes = all_routes(an_app(tmp_path))
    assert "GET /v1/faces/{seed}" in routes
    assert [route for route in routes if route not in SCOPES] == [], "declare these in app/access/scopes.py"


def test_every_route_refuses_who_has_no_key(make_web: MakeWeb, tmp_path: Path) -> None:
    client = make_web(keyed(tmp_path)).client
    for route in all_routes(an_app(tmp_path)):
        method, template = route.split(" ")
        reply = client.request(method, filled(template))
        if SCOPES.get(route, Scope.ADMIN) is OPEN:
            assert reply.status_code not in {401, 403}, route
            continue
        assert reply.status_code == 401, route
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="personne"'
        assert reply.json()["type"] == "/problems/key-missing"


def test_every_route_refuses_a_key_that_may_do_everything_else(make_web: MakeWeb, tmp_path: Path) -> None:
    client = make_web(keyed(tmp_path)).client
    others = {scope: make_key(tmp_path, *(set(Scope) - {scope})) for scope in Scope}
    for route in all_routes(an_app(tmp_path)):
        method, template = route.split(" ")
        scope = SCOPES[route]
        if scope is OPEN:
            continue
        reply = client.request(method, filled(template), headers=bearer(others[scope]))
        assert reply.status_code == 403, route
        assert reply.json()["needed"] == scope
        challenge = reply.headers["WWW-Authenticate"]
        assert challenge == f'Bearer realm="personne", error="insufficient_scope", scope="{scope}"'


def test_a_route_without_a_scope_is_closed_to_every_key(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.add_api_route("/v1/forgotten", lambda: "what nobody thought of")
    app.add_api_route("/v1/faces/forgotten.too", lambda: "matches a declared template as well")
    app.router.routes.insert(0, app.router.routes.pop())
    key = make_key(tmp_path, *Scope)
    with serving(app) as client:
        for address in ("/v1/forgotten", "/v1/faces/forgotten.too"):
            reply = client.get(address, headers=bearer(key))
            assert (reply.status_code, reply.json()["type"]) == (403, "/problems/scope-undeclared")
        assert client.get("/v1/nothing").status_code == 401
        assert client.get("/v1/nothing", headers=bearer(key)).status_code == 404


def test_either_header_opens(make_web: MakeWeb, tmp_path: Path) -> None:
    client, key = make_web(keyed(tmp_path)).client, make_key(tmp_path, Scope.GENERATE)
    for headers in (bearer(key), {"Authorization": f"bearer {key}"}, {"X-API-Key": key}):
        assert client.get("/face", headers=headers).status_code == 200
    assert client.head("/face", headers=bearer(key)).status_code == 200


@pytest.mark.parametrize(
    "address", ["/face?api_key={}", "/face?x={}", "/v1/faces/{}", "/?Access_Token=1", "/livez?k={}"]
)
@pytest.mark.parametrize("asks", [True, False])
def test_a_key_in_the_address_is_refused_with_a_sentence(
    address: str, asks: bool, make_web: MakeWeb, tmp_path: Path
) -> None:
    client = make_web(keyed(tmp_path)).client if asks else make_web().client
    reply = client.get(address.format(make_key(tmp_path, *Scope)))
    assert (reply.status_code, reply.json()["type"]) == (400, "/problems/key-in-address")
    assert "Authorization: Bearer" in reply.json()["detail"]
    assert "psn_" not in reply.json()["detail"].replace("psn_...", "")


def test_unknown_misspelt_and_expired_keys_open_nothing(make_web: MakeWeb, tmp_path: Path) -> None:
    client, good = make_web(keyed(tmp_path)).client, make_key(tmp_path, *Scope)
    misspelt = good[:-1] + ("A" if good[-1] != "A" else "B")
    for sent in (draw_key(), misspelt, good.lower(), make_key(tmp_path, *Scope, expired=True), "", "psn_"):
        reply = client.get("/face", headers={"X-API-Key": sent})
        assert reply.status_code == 401, sent
    assert client.get("/face", headers=bearer(draw_key())).headers["WWW-Authenticate"].endswith('error="invalid_token"')


def test_a_revoked_key_opens_nothing_from_the_next_request_on(make_web: MakeWeb, tmp_path: Path) -> None:
    client, file = make_web(keyed(tmp_path)).client, KeyFile(tmp_path / "keys.json")
    kept, taken = make_key(tmp_path, Scope.READ), make_key(tmp_path, Scope.READ)
    assert client.get("/v1/models", headers=bearer(taken)).status_code == 200
    assert file.revoke(file.read()[1].id)
    assert client.get("/v1/models", headers=bearer(taken)).status_code == 401
    assert client.get("/v1/models", headers=bearer(kept)).status_code == 200
    assert client.get("/v1/models", headers=bearer(make_key(tmp_path, Scope.READ))).status_code == 200


def test_no_key_is_kept_only_what_recognises_it(tmp_path: Path) -> None:
    sent = make_key(tmp_path, Scope.READ)
    kept = (tmp_path / "keys.json").read_text()
    assert sent not in kept
    assert sent.removeprefix("psn_")[:8] not in kept
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert json.loads(kept)["keys"][0]["scopes"] == ["read"]


def test_keys_are_wellformed_and_never_alike() -> None:
    drawn = {draw_key() for _ in range(1000)}
    assert len(drawn) == 1000
    assert all(is_wellformed(key) and re.fullmatch(r"psn_[0-9A-Za-z]{36}", key) for key in drawn)
    one = drawn.pop()
    changed = [one[:i] + ("a" if one[i] != "a" else "b") + one[i + 1 :] for i in range(4, len(one))]
    assert not any(is_wellformed(key) for key in changed)


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 2, "keys": []}', '{"version": 1, "keys": [{"id": "x"}]}'])
def test_a_damaged_file_lets_nobody_in_until_it_is_sound(content: str, make_web: MakeWeb, tmp_path: Path) -> None:
    client, key = make_web(keyed(tmp_path)).client, make_key(tmp_path, Scope.READ)
    sound = (tmp_path / "keys.json").read_text()
    assert client.get("/v1/models", headers=bearer(key)).status_code == 200
    (tmp_path / "keys.json").write_text(content)
    for _ in range(2):
        reply = client.get("/v1/models", headers=bearer(key))
        assert (reply.status_code, reply.json()["type"]) == (503, "/problems/keys-unreadable")
    assert client.get("/livez").status_code == 200
    with pytest.raises(KeysUnreadable):
        KeyFile(tmp_path / "keys.json").revoke("0")
    (tmp_path / "keys.json").write_text(sound)
    assert client.get("/v1/models", headers=bearer(key)).status_code == 200


def test_an_edit_with_a_photo_asks_for_more_than_one_without(make_web: MakeWeb, tmp_path: Path) -> None:
    key = make_key(tmp_path, Scope.GENERATE)
    web = make_web(keyed(tmp_path))
    assert web.client.post("/v1/edits", json={"seed": "7"}, headers=bearer(key)).status_code == 200
    files = {"photo": ("a.jpg", b"no matter what", "image/jpeg")}
    reply = web.client.post("/v1/edits", files=files, headers=bearer(key))
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/scope-missing")
    assert "'upload'" in reply.json()["detail"]


def test_where_everybody_is_let_in_no_key_is_looked_at(web: Web) -> None:
    assert web.client.get("/face", headers=bearer("psn_none")).status_code == 200
