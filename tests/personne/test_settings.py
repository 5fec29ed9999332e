"""Settings: where they come from, what is refused, and what the floors get of them."""

import json
import logging
from pathlib import Path

import pytest

from jobs.contract import Lane
from personne.errors import SettingRefused
from personne.logs import JsonLines
from personne.settings import Settings, read_settings, unknown_variables


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PERSONNE_{name.upper()}", raising=False)


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONNE_PORT", "9000")
    assert read_settings().port == 9000
    assert read_settings(port=None).port == 9000
    assert read_settings(port=9001).port == 9001


def test_lists_are_words_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONNE_LANES", "quick, idle")
    monkeypatch.setenv("PERSONNE_MODELS", "faces,monet")
    settings = read_settings()
    assert settings.lanes == (Lane.QUICK, Lane.IDLE)
    assert settings.models == ("faces", "monet")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("queue", "memcached://here"),
        ("default_psi", 1.01),
        ("ready_faces", -1),
        ("device", "gpu"),
        ("device", "cuda:"),
        ("lanes", "fast"),
        ("lanes", ""),
        ("lease_s", 0),
        ("worker_id", "a b"),
        ("log_level", "loud"),
    ],
)
def test_what_lies_out_of_bounds_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingRefused, match=f"^--{name.replace('_', '-')}: .*See docs/settings.md.$"):
        read_settings(**{name: value})


def test_the_store_lies_in_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert read_settings().store == tmp_path / "personne"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_settings().store == tmp_path / ".local/share/personne"
    monkeypatch.setattr("sys.platform", "darwin")
    assert read_settings().store == tmp_path / "Library/Application Support/personne"


def test_the_floors_get_what_was_set() -> None:
    settings = read_settings(
        default_psi=0.5,
        ready_faces=3,
        device="cpu",
        threads=2,
        lanes="slow",
        cap_slow=7,
        beat_ttl_s=1.5,
        store="/store",
    )
    app, worker, policy = settings.app_config(), settings.worker_config(), settings.queue_policy()
    assert (app.default_psi, app.ready_faces) == (0.5, 3)
    assert (worker.device, worker.threads, worker.lanes) == ("cpu", 2, (Lane.SLOW,))
    assert worker.beat_every_s == 0.5
    assert worker.engine_cache == str(Path("/store/.engines"))
    assert policy.lane_caps[Lane.SLOW] == 7


def test_workers_of_one_machine_have_different_names() -> None:
    assert read_settings(worker_id="anna").worker_config().worker_id == "anna"
    assert read_settings().worker_config().worker_id.rpartition("-")[2].isdigit()


@pytest.mark.parametrize(
    ("host", "asked"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("fd00::7", "[fd00::7]"), ("box", "box")]
)
def test_health_asks_where_the_web_listens(host: str, asked: str) -> None:
    assert read_settings(host=host, port=9000).own_livez == f"http://{asked}:9000/livez"


def test_unknown_variables_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONNE_PROT", "1")
    monkeypatch.setenv("PERSONNE_PORT", "1")
    assert unknown_variables() == ["PERSONNE_PROT"]


def test_a_json_line_holds_what_happened() -> None:
    record = logging.LogRecord("personne", logging.WARNING, __file__, 1, "%d faces, ä", (3,), None)
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "3 faces, ä"
    assert (line["level"], line["logger"]) == ("warning", "personne")
    assert line["time"].endswith("+00:00")
