"""The command line: quick to answer, and clear to whoever mistypes."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from personne.cli_options import need
from personne.errors import ExtraMissing
from tests.personne.processes import Process, clean_environment, personne


def run(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit status and all that was said."""
    with personne(*arguments, env=env or {}) as process:
        status = process.popen.wait(60)
        process.close()
        return status, process.said.strip()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("serve", "--queue", "kafka://somewhere"),
            "personne: --queue: a queue is `memory` or a redis://, rediss:// or unix:// address; "
            "it is 'kafka://somewhere'. See docs/settings.md.",
        ),
        (
            ("web",),
            "personne: The memory queue lives inside `personne serve`; "
            "processes of their own need --queue redis://HOST:6379.",
        ),
        (
            ("serve", "--port", "70000"),
            "personne: --port: Input should be less than or equal to 65535; it is 70000. See docs/settings.md.",
        ),
        (
            ("health", "--url", "ftp://example.org"),
            "personne: --url 'ftp://example.org' is no web address; it looks like http://127.0.0.1:8000/livez.",
        ),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    assert run(*arguments) == (2, sentence)


def test_a_variable_out_of_bounds_is_named() -> None:
    status, said = run("models", env={"PERSONNE_DEFAULT_PSI": "1.5"})
    assert status == 2
    assert said.startswith("personne: PERSONNE_DEFAULT_PSI: Input should be less than or equal to 1;")


def test_a_device_that_is_not_there_is_refused(served: dict[str, str]) -> None:
    status, said = run("serve", "--port", "0", "--device", "cuda", env=served)
    assert status == 2
    assert said.splitlines()[-1].startswith("personne: Device 'cuda' needs ONNX Runtime's CUDAExecutionProvider")
    assert "Traceback" not in said


def test_which_version_this_is() -> None:
    assert run("--version") == (0, f"personne {version('personne')}")


def test_a_missing_floor_is_named() -> None:
    with pytest.raises(ExtraMissing, match=r"This needs torch_of_mars, .*`make training` in a clone"):
        need(app="json", training="torch_of_mars")


def test_training_without_torch_says_what_to_install(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['torch'] = None; from personne.cli import main; main()"
    arguments = ["train", "faces", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--resolution", "16"]
    process = Process([sys.executable, "-c", hide, *arguments], {})
    try:
        assert process.popen.wait(60) == 2
    finally:
        process.close()
    assert process.said.strip() == (
        "personne: This needs torch, which is not installed here: `make training` in a clone of personne makes an "
        "environment that has it."
    )


def test_training_without_pictures_says_so(tmp_path: Path) -> None:
    arguments = ("train", "faces", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "run"))
    status, said = run(*arguments, "--resolution", "16")
    assert status == 2
    assert said.splitlines()[-1].startswith("personne: ")
    assert str(tmp_path / "none") in said
    assert "Traceback" not in said


def test_models_are_listed_and_refusals_explained(tiny_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    (store / "broken").mkdir(parents=True)
    (store / "broken" / "manifest.json").write_text("{}")
    (store / "tiny").symlink_to(tiny_store / "tiny")
    status, said = run("models", "--store", str(store), "--json")
    listing = json.loads(said)
    assert status == 0
    tiny = next(model for model in listing["models"] if model["name"] == "tiny")
    assert tiny["source"] == "store"
    assert tiny["resolution"] == 32
    assert [Path(refused["folder"]).name for refused in listing["refused"]] == ["broken"]
    status, said = run("models", "--store", str(store), env={"COLUMNS": "200"})
    assert status == 0
    assert tiny["digest"] in said
    assert "manifest version None" in said


def test_a_sample_is_drawn(tiny_store: Path, tmp_path: Path) -> None:
    drawn = ("sample", "--model", "tiny", "--store", str(tiny_store), "--device", "cpu")
    assert run(*drawn, "--seeds", "3,5-6", "--out", str(tmp_path / "faces"))[0] == 0
    assert sorted(path.name for path in (tmp_path / "faces").iterdir()) == ["3.png", "5.png", "6.png"]
    assert run(*drawn, "--seeds", "0-9", "--out", str(tmp_path / "sheet.png"), "--grid")[0] == 0
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_a_misspelt_variable_is_warned_of() -> None:
    status, said = run("models", env={"PERSONNE_REDY_FACES": "3"})
    assert status == 0
    assert "PERSONNE_REDY_FACES is set, and no setting has that name" in said


def test_the_tests_bring_no_settings_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONNE_PORT", "1")
    assert "PERSONNE_PORT" not in clean_environment()
