"""personne doctor, on sound and on broken set-ups."""

import json
import shutil
import socket
from pathlib import Path

import pytest
import redis

from personne.errors import Unsound
from personne.settings import Settings
from tests.personne.invoking import invoke
from tests.redis_server import RedisServer

Findings = dict[str, list[tuple[str, str, str]]]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, served: dict[str, str], tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PERSONNE_{name.upper()}", raising=False)
    monkeypatch.setenv("PERSONNE_DEFAULT_MODEL", served["PERSONNE_DEFAULT_MODEL"])
    shutil.copytree(served["PERSONNE_STORE"], tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def examine(store: Path, *options: str, wrong: int = 0) -> Findings:
    """What is found, by what it is about: state, sentence, mending."""
    result = invoke("doctor", "--json", "--store", store, *options)
    if wrong:
        assert isinstance(result.exception, Unsound), result.output
        assert str(result.exception).startswith(f"{wrong} thing")
        assert result.exception.exit_status == 1
    else:
        assert result.exit_code == 0, result.output
    found: Findings = {}
    for one in json.loads(result.stdout):
        found.setdefault(one["about"], []).append((one["state"], one["says"], one["mend"]))
    return found


def only_wrong(found: Findings) -> list[tuple[str, str]]:
    """What is wrong, with its mending; each has one."""
    wrong = [(says, mend) for about in found.values() for state, says, mend in about if state == "wrong"]
    assert all(mend for _, mend in wrong)
    return wrong


def test_a_sound_set_up(store: Path, redis_url: str) -> None:
    assert invoke("certs", "init", "--store", store).exit_code == 0
    assert invoke("keys", "new", "somebody", "--store", store).exit_code == 0
    found = examine(store, "--queue", redis_url, "--host", "0.0.0.0", "--device", "cpu")
    assert "fastapi" in found["installed"][0][1]
    assert found["store"][0][0] == "sound"
    assert found["models"][0][0] == "sound"
    cpu = next(finding for finding in found["devices"] if finding[1].startswith("cpu "))
    assert cpu[0] == "sound"
    assert " ms." in cpu[1]
    assert next(finding for finding in found["devices"] if "cuda" in finding[1])[0] == "note"
    assert "Redis" in found["queue"][0][1]
    assert len(found["queue"]) == 1
    assert "is good until 20" in found["certificates"][0][1]
    assert found["keys"] == [("sound", "1 good, 0 expired.", "")]


def test_it_speaks_in_lines_too(store: Path) -> None:
    result = invoke("doctor", "--store", store)
    assert result.exit_code == 0, result.output
    assert "note   certificates  There are none: pictures leave unsigned." in result.stdout
    assert "mend it: personne certs init" in result.stdout


def test_a_redis_that_is_not_there(store: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"redis://:secret@127.0.0.1:{probe.getsockname()[1]}/0"
        ((says, mend),) = only_wrong(examine(store, "--queue", url, wrong=1))
    assert "cannot be used" in says
    assert "secret" not in says
    assert "PERSONNE_QUEUE" in mend


def test_a_redis_that_would_forget_jobs(store: Path, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with RedisServer(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 20_000)
        found = examine(store, "--queue", server.url, wrong=2)
        mends = [mend for _, mend in only_wrong(found)]
        assert "redis-cli config set maxmemory-policy noeviction" in mends
        assert any("maxmemory" in mend and "PERSONNE_CAP_SLOW" in mend for mend in mends)
        assert any(state == "note" and "append-only" in says for state, says, _ in found["queue"])
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 0)
        assert only_wrong(examine(store, "--queue", server.url)) == []


def test_a_damaged_model_and_a_default_one_that_is_missing(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (store / "broken").mkdir()
    (store / "broken" / "manifest.json").write_text("{")
    monkeypatch.setenv("PERSONNE_DEFAULT_MODEL", "nobody")
    found = examine(store, wrong=2)
    assert {state for state, *_ in found["models"]} == {"wrong"}
    assert any(str(store / "broken") in mend for _, mend in only_wrong(found))
    assert "devices" not in found


def test_a_device_that_is_asked_for_and_does_not_work(store: Path) -> None:
    ((says, mend),) = only_wrong(examine(store, "--device", "cuda:7", wrong=1))
    assert says.startswith("cuda:7: Device 'cuda:7' needs")
    assert "PERSONNE_DEVICE" in mend


def test_certificates_that_do_not_fit_or_lie_open(store: Path) -> None:
    invoke("certs", "init", "--store", store)
    key = store / ".certs" / "key.pem"
    key.chmod(0o644)
    ((_, mend),) = only_wrong(examine(store, wrong=1))
    assert mend == f"chmod 600 {key}"
    kept = key.read_bytes()
    invoke("certs", "init", "--force", "--store", store)
    key.write_bytes(kept)
    key.chmod(0o600)
    ((says, _),) = only_wrong(examine(store, wrong=1))
    assert "The key does not belong to the first certificate" in says


def test_keys_that_are_missing_damaged_or_lie_open(store: Path) -> None:
    outside = ("--host", "0.0.0.0")
    ((_, mend),) = only_wrong(examine(store, *outside, wrong=1))
    assert mend == "personne keys new NAME"
    invoke("keys", "new", "somebody", "--store", store)
    file = store / ".keys" / "keys.json"
    assert only_wrong(examine(store, *outside)) == []
    file.chmod(0o640)
    assert only_wrong(examine(store, wrong=1)) == [(f"Other users may read {file}.", f"chmod 600 {file}")]
    file.write_text("{")
    assert "cannot be read" in only_wrong(examine(store, wrong=1))[0][0]


def test_settings_that_set_nothing_and_a_door_that_stands_open(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONNE_PROT", "1")
    monkeypatch.setenv("PERSONNE_OPEN", "true")
    found = examine(store, "--host", "0.0.0.0", wrong=1)
    assert "PERSONNE_PROT" in only_wrong(found)[0][0]
    assert any(state == "note" and "may do everything" in says for state, says, _ in found["settings"])


def test_a_store_that_is_none(tmp_path: Path) -> None:
    assert examine(tmp_path / "nowhere")["store"][0][0] == "note"
    (tmp_path / "file").write_text("")
    assert "is no folder" in only_wrong(examine(tmp_path / "file", wrong=1))[0][0]
