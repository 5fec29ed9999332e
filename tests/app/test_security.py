"""Names that are not ours, other sites' pages, and who is believed to be whom."""

from dataclasses import replace
from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.access.guard import _address
from app.access.security import LOOPBACK_HOSTS, without_port
from app.config import AccessConfig
from app.web import create_app
from jobs.queue import DEFAULT_POLICY
from tests.app.conftest import NO_POOL, MakeWeb, Web, submitter_and_source
from tests.app.service import Painter, catalogue, manifest, serving

ON_LOOPBACK = replace(NO_POOL, access=AccessConfig(hosts=LOOPBACK_HOSTS))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_names_of_loopback_are_answered(host: str, make_web: MakeWeb) -> None:
    assert make_web(ON_LOOPBACK).client.get("/face", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "localhost.evil.example", "", "[::2]"])
def test_a_name_that_somebody_points_here_reads_nothing(host: str, make_web: MakeWeb) -> None:
    client = make_web(ON_LOOPBACK).client
    for address in ("/face", "/", "/v1/models", "/metrics", "/openapi.json"):
        reply = client.get(address, headers={"Host": host})
        assert (reply.status_code, reply.json()["type"]) == (421, "/problems/wrong-host"), address
        assert "PERSONNE_HOSTS" in reply.json()["detail"]
    assert client.get("/livez", headers={"Host": host}).status_code == 200


def test_hosts_without_their_ports() -> None:
    names = {"a:1": "a", "A.b": "a.b", "[::1]:80": "::1", "[::1]": "::1", "": ""}
    assert {host: without_port(host) for host in names} == names


def test_another_sites_form_does_nothing_here(web: Web) -> None:
    for method, address in (("POST", "/v1/verify"), ("POST", "/verify"), ("DELETE", f"/v1/jobs/{'0' * 32}")):
        reply = web.client.request(method, address, headers={"Sec-Fetch-Site": "cross-site"})
        assert (reply.status_code, reply.json()["type"]) == (403, "/problems/cross-site")
        for site in ("same-origin", "same-site", "none"):
            reply = web.client.request(method, address, headers={"Sec-Fetch-Site": site})
            assert reply.status_code != 403
    assert web.client.get("/face", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_faces_may_be_embedded_and_read_anywhere_and_nothing_else(web: Web) -> None:
    for address in ("/face", "/v1/faces/7.png", "/v1/faces/7"):
        reply = web.client.get(address, headers={"Origin": "https://example.org"})
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in reply.headers
    for address in (
        "/",
        "/v1/models",
        "/v1/faces",
        f"/v1/jobs/{'0' * 32}/result",
        "/metrics",
        "/openapi.json",
        "/nope",
    ):
        reply = web.client.get(address, headers={"Origin": "https://example.org"})
        assert not [name for name in reply.headers if name.startswith("access-control")], address
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert web.client.options("/face", headers={"Access-Control-Request-Method": "GET"}).status_code == 405


def test_refusals_at_the_door_carry_the_guarding_headers(make_web: MakeWeb) -> None:
    client = make_web(ON_LOOPBACK).client
    for reply in (
        client.get("/face", headers={"Host": "evil.example"}),
        client.get("/face?api_key=x"),
        client.post("/v1/verify", headers={"Sec-Fetch-Site": "cross-site"}),
    ):
        assert reply.status_code >= 400
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Type"] == "application/problem+json"


def test_an_ipv6_household_is_one_visitor() -> None:
    def counted(host: str) -> str:
        return _address({"client": (host, 1)})

    assert counted("2001:db8:1:2::7") == counted("2001:db8:1:2:ffff::1") == "2001:0db8:0001:0002::/64"
    assert counted("2001:db8:1:3::7") != counted("2001:db8:1:2::7")
    assert counted("192.0.2.7") == "192.0.2.7"
    assert _address({"client": None}) == "unknown"


def test_each_ipv4_address_is_a_visitor_however_it_is_written() -> None:
    submitter, source = submitter_and_source(DEFAULT_POLICY)
    app = create_app(replace(NO_POOL, access=AccessConfig(units_per_minute=1)), submitter, catalogue(manifest()))
    behind_a_proxy: Any = ProxyHeadersMiddleware(app, trusted_hosts="*")
    with Painter(source, (manifest().digest,)), serving(behind_a_proxy) as client:

        def code_for(address: str) -> int:
            return client.get("/face", headers={"X-Forwarded-For": address}).status_code

        addresses = ("::ffff:203.0.113.7", "::ffff:203.0.113.8", "203.0.113.9", "203.0.113.7", "::ffff:203.0.113.9")
        assert [code_for(address) for address in addresses] == [200, 200, 200, 429, 429]
