"""personne keys, and who may start a service where."""

import json
import re
import shutil
from pathlib import Path

import httpx
import pytest

from app.access.keys import is_wellformed
from personne.door import check_door
from personne.errors import KeyNotFound, KeysNeeded, SettingRefused
from personne.settings import read_settings
from personne.settings_access import is_loopback
from tests.personne.invoking import invoke
from tests.personne.processes import ADDRESS, personne, ready


def new(store: Path, *options: str) -> str:
    result = invoke("keys", "new", "somebody", "--store", store, *options)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def listed(store: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(invoke("keys", "list", "--json", "--store", store).stdout)
    return found


def test_a_key_is_shown_once_and_listed_without_it(tmp_path: Path) -> None:
    key = new(tmp_path, "--scopes", "upload,read", "--days", "30", "--per-minute", "60", "--per-day", "1000")
    assert is_wellformed(key), "the key alone, so that a script can take it"
    (one,) = listed(tmp_path)
    assert (one["scopes"], one["per_minute"], one["per_day"]) == (["read", "upload"], 60, 1000)
    assert one["name"] == "somebody"
    table = invoke("keys", "list", "--store", tmp_path).stdout
    assert str(one["id"]) in table
    assert key not in table
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(key[4:20] in path.read_text() for path in files)
    assert (tmp_path / ".keys").stat().st_mode & 0o777 == 0o700


def test_a_key_is_revoked_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    new(tmp_path)
    new(tmp_path)
    first, second = (str(key["id"]) for key in listed(tmp_path))
    assert isinstance(invoke("keys", "revoke", "", "--store", tmp_path).exception, KeyNotFound), "of several none"
    assert isinstance(invoke("keys", "revoke", "zz", "--store", tmp_path).exception, KeyNotFound)
    assert invoke("keys", "revoke", first[:8], "--store", tmp_path).exit_code == 0
    assert [key["id"] for key in listed(tmp_path)] == [second]


def test_unknown_scopes_are_refused(tmp_path: Path) -> None:
    for scopes in ("everything", "read,", ""):
        result = invoke("keys", "new", "x", "--scopes", scopes, "--store", tmp_path)
        assert scopes == "read," or isinstance(result.exception, SettingRefused)


@pytest.mark.parametrize(
    ("host", "options", "starts"),
    [
        ("127.0.0.1", {}, True),
        ("127.8.8.8", {}, True),
        ("localhost", {}, True),
        ("::1", {}, True),
        ("0.0.0.0", {}, False),
        ("::", {}, False),
        ("192.168.1.7", {}, False),
        ("box.example", {}, False),
        ("0.0.0.0", {"open": True}, True),
        ("127.0.0.1", {"open": False}, False),
    ],
)
def test_without_keys_a_service_starts_on_loopback_or_when_told(
    host: str, options: dict[str, bool], starts: bool, tmp_path: Path
) -> None:
    settings = read_settings(host=host, store=tmp_path, **options)
    if starts:
        check_door(settings)
    else:
        with pytest.raises(KeysNeeded, match=f"^A service at {re.escape(host)} asks for keys.*--open"):
            check_door(settings)
        new(tmp_path)
        check_door(settings)
    access = settings.app_config().access
    assert (access.keys is None) == starts
    assert access.units_per_minute == (0 if is_loopback(host) else 600)
    assert access.hosts == (("localhost", "127.0.0.1", "::1") if is_loopback(host) and starts else ())


def test_a_secret_is_not_said_again() -> None:
    with pytest.raises(SettingRefused) as refused:
        read_settings(share_key="too short to be")
    assert "too short to be" not in str(refused.value)
    settings = read_settings(share_key="a" * 32)
    assert "a" * 32 not in repr(settings)
    assert "a" * 32 not in repr(settings.app_config())


def test_a_keyed_service_as_a_process(served: dict[str, str], tmp_path: Path) -> None:
    folder = shutil.copytree(served["PERSONNE_STORE"], tmp_path / "store")
    env = served | {"PERSONNE_STORE": str(folder)}
    with personne("serve", "--host", "0.0.0.0", "--port", "0", env=env) as process:
        assert process.popen.wait(40) == 2
        process.wait_for(re.compile("personne: A service at 0.0.0.0 asks for keys"))
    key = new(folder, "--scopes", "generate")
    with personne("serve", "--keyed", "--port", "0", env=env) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        assert httpx.get(f"{address}/face").status_code == 401
        assert httpx.get(f"{address}/face", headers={"X-API-Key": key}).status_code == 200
        assert invoke("keys", "revoke", str(listed(folder)[0]["id"]), "--store", folder).exit_code == 0
        assert httpx.get(f"{address}/face", headers={"X-API-Key": key}).status_code == 401
        process.stop()
        assert key not in process.said
