"""personne certs init, and a service that signs with what it made."""

import stat
from pathlib import Path

import httpx
import pytest

from marks.certificates import algorithm_of, certificates, make_chain
from personne.settings import read_settings
from tests.personne.processes import ADDRESS, personne, ready


def run(*arguments: str, **env: str) -> tuple[int, str]:
    with personne(*arguments, env=env) as process:
        status = process.popen.wait(60)
        process.close()
        return status, process.said.strip()


def test_a_chain_is_made_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    status, said = run("certs", "init", "--organisation", "Our house", PERSONNE_STORE=str(tmp_path))
    assert status == 0, said
    chain, key = tmp_path / ".certs" / "chain.pem", tmp_path / ".certs" / "key.pem"
    assert str(chain) in said
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert algorithm_of(chain.read_bytes(), key.read_bytes()) == "es256"
    assert "Our house" in certificates(chain.read_bytes())[0].subject.rfc4514_string()
    before = key.read_bytes()
    status, said = run("certs", "init", PERSONNE_STORE=str(tmp_path))
    assert status == 2
    assert "--force replaces them" in said
    assert key.read_bytes() == before
    assert run("certs", "init", "--force", PERSONNE_STORE=str(tmp_path))[0] == 0
    assert key.read_bytes() != before
    assert sorted(path.name for path in key.parent.iterdir()) == ["chain.pem", "key.pem"]


def test_what_the_store_holds_is_used_unless_other_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings(store=tmp_path).signing == (None, None)
    own = tmp_path / ".certs"
    own.mkdir()
    chain, key = make_chain("x")
    (own / "chain.pem").write_bytes(chain)
    (own / "key.pem").write_bytes(key)
    settings = read_settings(store=tmp_path)
    assert settings.worker_config().certificate == settings.app_config().certificate == own / "chain.pem"
    assert settings.worker_config().certificate_key == own / "key.pem"
    (tmp_path / "mine.pem").write_bytes(chain)
    monkeypatch.setenv("PERSONNE_CERTIFICATE", str(tmp_path / "mine.pem"))
    status, said = run("models", PERSONNE_STORE=str(tmp_path), PERSONNE_CERTIFICATE=str(tmp_path / "mine.pem"))
    assert status == 2
    assert "a certificate and its key are set together" in said
    monkeypatch.setenv("PERSONNE_CERTIFICATE_KEY", str(own / "key.pem"))
    assert read_settings(store=tmp_path).signing == (tmp_path / "mine.pem", own / "key.pem")


def test_a_certificate_that_is_not_there_is_named() -> None:
    status, said = run("models", PERSONNE_CERTIFICATE="/nowhere.pem", PERSONNE_CERTIFICATE_KEY="/nowhere.pem")
    assert status == 2
    assert "PERSONNE_CERTIFICATE" in said
    assert "Traceback" not in said


def test_a_service_signs_with_its_own_chain(served: dict[str, str], tmp_path: Path) -> None:
    chain, key = make_chain("Our house")
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    env = {
        **served,
        "PERSONNE_CERTIFICATE": str(tmp_path / "chain.pem"),
        "PERSONNE_CERTIFICATE_KEY": str(tmp_path / "key.pem"),
        "PERSONNE_READY_FACES": "0",
    }
    with personne("serve", "--port", "0", env=env) as service:
        address = service.wait_for(ADDRESS)[1]
        ready(address)
        face = httpx.get(f"{address}/v1/faces/7.jpg", timeout=60)
        found = httpx.post(f"{address}/v1/verify", content=face.content, timeout=60).json()
        assert found["verdict"] == "ours"
        assert found["c2pa"]["signed_by"] == "Our house pictures, Our house"
