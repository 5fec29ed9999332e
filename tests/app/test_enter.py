"""A person's way in: a key given once on a page, and what the cookie for it opens and what not."""

import time
from pathlib import Path

import httpx
import pytest

from app.access import sessions
from app.access.keys import Scope, digest_of, id_of
from app.access.keys_file import KeyFile
from app.access.sessions import COOKIE
from tests.app.conftest import MakeWeb, Web
from tests.app.keyed import bearer, keyed, make_key

SAME = {"Sec-Fetch-Site": "same-origin"}
PERSON = {"Accept": "text/html,*/*", "Sec-Fetch-Site": "none"}


@pytest.fixture
def keyed_web(make_web: MakeWeb, tmp_path: Path) -> Web:
    return make_web(keyed(tmp_path))


def enter(client: httpx.Client, key: str, **fields: str) -> httpx.Response:
    return client.post("/enter", data={"key": key, **fields}, headers=SAME)


def cookie_of(reply: httpx.Response) -> str:
    return reply.headers["Set-Cookie"].partition(";")[0]


def test_who_opens_a_page_without_a_key_is_asked_for_it_and_a_program_is_refused(keyed_web: Web) -> None:
    client = keyed_web.client
    sent_on = client.get("/translate", headers=PERSON)
    assert (sent_on.status_code, sent_on.headers["Location"]) == (303, "/enter?to=/translate")
    form = client.get(sent_on.headers["Location"], headers=PERSON)
    assert 'type="password"' in form.text
    assert 'value="/translate"' in form.text
    assert client.get("/").status_code == 401
    assert client.get("/v1/models", headers=PERSON).status_code == 401
    assert client.get("/metrics", headers=PERSON).status_code == 401


def test_the_cookie_opens_what_the_key_opens(keyed_web: Web, tmp_path: Path) -> None:
    client, key = keyed_web.client, make_key(tmp_path, Scope.GENERATE)
    reply = enter(client, f" {key}\n", to="/teach")
    assert (reply.status_code, reply.headers["Location"], reply.headers["Cache-Control"]) == (303, "/teach", "no-store")
    attributes = set(reply.headers["Set-Cookie"].split("; ")[1:])
    assert attributes == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"}
    assert client.get("/", headers=PERSON).status_code == 200
    assert client.get("/face", headers=SAME).status_code == 200
    assert client.post("/v1/jobs", json={"kind": "generate"}, headers=SAME).status_code == 202
    beyond = client.get("/v1/models", headers=SAME)
    assert (beyond.status_code, beyond.json()["needed"]) == (403, "read")
    assert "by the key <strong>somebody</strong>" in client.get("/enter", headers=PERSON).text
    left = client.post("/leave", headers=SAME)
    assert left.status_code == 303
    assert client.get("/face", headers=SAME).status_code == 401


def test_the_key_is_not_in_the_cookie_nor_what_recognises_it(keyed_web: Web, tmp_path: Path) -> None:
    key = make_key(tmp_path, Scope.READ)
    found = cookie_of(enter(keyed_web.client, key))
    assert key[4:] not in found
    assert digest_of(key) not in found
    assert found.startswith(f"{COOKIE}={id_of(digest_of(key))}.")


def test_over_tls_the_cookie_stays_there(tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from tests.app.test_keys import an_app

    with TestClient(an_app(tmp_path), "https://faces.example.org", follow_redirects=False) as client:
        reply = client.post("/enter", data={"key": make_key(tmp_path, Scope.READ)})
        assert "; Secure" in reply.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),  # a program, or nobody that says who it is
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Sec-Fetch-Site": "none"}, 401),
        ({"Origin": "http://elsewhere.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"Origin": "{own}"}, 202),  # without TLS a browser says no more
        (SAME, 202),
    ],
)
def test_only_pages_of_ours_change_anything_by_it(
    keyed_web: Web, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    client = keyed_web.client
    enter(client, make_key(tmp_path, Scope.GENERATE))
    own = str(client.base_url).rstrip("/")
    sent = {name: value.format(own=own) for name, value in headers.items()}
    assert client.post("/v1/jobs", json={"kind": "generate"}, headers=sent).status_code == status


def test_another_sites_page_lets_nobody_in_or_out(keyed_web: Web, tmp_path: Path) -> None:
    for foreign in ({"Sec-Fetch-Site": "same-site"}, {"Origin": "http://elsewhere.example"}):
        for address in ("/enter", "/leave"):
            reply = keyed_web.client.post(address, data={"key": make_key(tmp_path, Scope.READ)}, headers=foreign)
            assert (reply.status_code, reply.json()["type"]) == (403, "/problems/cross-site")
            assert "Set-Cookie" not in reply.headers


def test_a_revoked_key_takes_its_cookies_along_at_once(keyed_web: Web, tmp_path: Path) -> None:
    key = make_key(tmp_path, Scope.GENERATE)
    enter(keyed_web.client, key)
    assert keyed_web.client.get("/face", headers=SAME).status_code == 200
    assert KeyFile(tmp_path / "keys.json").revoke(id_of(digest_of(key)))
    assert keyed_web.client.get("/face", headers=SAME).status_code == 401


def test_forged_and_late_cookies_open_nothing(keyed_web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, key, other = keyed_web.client, make_key(tmp_path, Scope.GENERATE), make_key(tmp_path, Scope.GENERATE)
    good = cookie_of(enter(client, key)).partition("=")[2]
    client.cookies.clear()
    key_id, ends, signature = good.split(".")
    for forged in (
        f"{key_id}.{int(ends) + 1}.{signature}",
        f"{id_of(digest_of(other))}.{ends}.{signature}",
        f"{key_id}.{ends}.{signature[:-1]}",
        f"{key_id}.{ends}.",
        f"{key_id}.²³.{signature}",
        f"{key_id}.{'9' * 5000}.{signature}",
        "x",
        ';;="',
    ):
        sent = {**SAME, "Cookie": f"{COOKIE}={forged}".encode()}
        assert client.get("/face", headers=sent).status_code == 401, forged  # type: ignore[arg-type]
    sent = {**SAME, "Cookie": f"{COOKIE}={good}"}
    assert client.get("/face", headers=sent).status_code == 200
    now = time.time()
    monkeypatch.setattr(sessions.time, "time", lambda: now + sessions.LASTS_S + 1)
    assert client.get("/face", headers=sent).status_code == 401


def test_what_is_no_key_is_told_on_the_page(keyed_web: Web, tmp_path: Path) -> None:
    expired = make_key(tmp_path, Scope.READ, expired=True)
    for sent in ("psn_wrong", expired, "<script>", "x" * 5000, ""):
        reply = enter(keyed_web.client, sent, to="//elsewhere.example")
        assert reply.status_code == 422
        assert 'role="alert"' in reply.text
        assert 'value="/"' in reply.text, "never elsewhere"
        assert "<script>" not in reply.text
        assert "Set-Cookie" not in reply.headers


def test_a_header_counts_more_than_a_cookie(keyed_web: Web, tmp_path: Path) -> None:
    client = keyed_web.client
    enter(client, make_key(tmp_path, Scope.GENERATE))
    assert client.get("/face", headers={**SAME, **bearer("psn_wrong")}).status_code == 401


def test_where_everybody_is_let_in_nothing_is_asked(web: Web) -> None:
    assert "No key is asked for here" in web.client.get("/enter").text
    assert enter(web.client, "psn_x").status_code == 422
    assert "Set-Cookie" not in web.client.get("/").headers


@pytest.mark.parametrize("beside", ['prefs={"x":1}', "seen=yes and no", "=nameless", "theme=dark"])
def test_other_programs_cookies_keep_nobody_out(keyed_web: Web, tmp_path: Path, beside: str) -> None:
    ours = cookie_of(enter(keyed_web.client, make_key(tmp_path, Scope.GENERATE)))
    keyed_web.client.cookies.clear()
    for cookies in (f"{beside}; {ours}", f"{ours}; {beside}"):
        assert keyed_web.client.get("/", headers=PERSON | {"Cookie": cookies}).status_code == 200


def test_an_address_that_is_none_is_an_answer_and_no_error(keyed_web: Web, tmp_path: Path) -> None:
    client, key = keyed_web.client, make_key(tmp_path, Scope.GENERATE)
    assert client.get("/enter", params={"to": "//["}, headers=PERSON).status_code == 200
    reply = enter(client, key, to="//[")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/")
    assert client.post("/leave", headers={"Origin": "http://["}).status_code == 403
