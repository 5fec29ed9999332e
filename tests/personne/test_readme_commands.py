"""The README's lines, run as they stand there: against a service of our own, into a folder of our own."""

import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from models.catalogue import find_models
from tests.house.test_readme import COMMANDS
from tests.personne.processes import ADDRESS, personne, ready

CURL = [command for command in COMMANDS if command.startswith("curl ")]
TRANSLATE = [command for command in COMMANDS if command.startswith("personne translate ")]
EDIT = [command for command in COMMANDS if command.startswith("personne edit ")]
HOLIDAY = "holiday.jpg"
SAMPLE = [command for command in COMMANDS if command.startswith("personne sample ")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_the_curl_lines_of_the_readme(served: dict[str, str], tmp_path: Path) -> None:
    with personne("serve", "--port", "0", env=served) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        write_holiday(tmp_path)
        for command in CURL:
            assert "http://127.0.0.1:8000/" in command
            ours = shlex.split(command.replace("http://127.0.0.1:8000", address))
            said = subprocess.run(ours, cwd=tmp_path, check=True, capture_output=True, timeout=60)
            assert said.stdout or "-o" in ours
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            assert {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}[path.suffix] == picture.format


def test_the_sample_lines_of_the_readme(served: dict[str, str], tmp_path: Path) -> None:
    name = served["PERSONNE_DEFAULT_MODEL"]
    side = find_models(Path(served["PERSONNE_STORE"])).named(name).manifest.resolution
    for command in SAMPLE:
        arguments = [name if word == "faces" and before == "--model" else word for before, word in pairs(command)]
        out = arguments.index("--out") + 1
        arguments[out] = str(tmp_path / arguments[out])
        with personne(*arguments, env=served) as process:
            assert process.popen.wait(100) == 0, process.said
    assert len(list((tmp_path / "faces").glob("*.png"))) == 64
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (10 * side, 4 * side)


def test_the_translate_lines_of_the_readme(served: dict[str, str], tmp_path: Path) -> None:
    write_holiday(tmp_path)
    for command in TRANSLATE:
        arguments = shlex.split(command)[1:]
        for position, word in enumerate(arguments):
            if word == HOLIDAY or arguments[position - 1] == "--out":
                arguments[position] = str(tmp_path / word)
        with personne(*arguments, env=served) as process:
            assert process.popen.wait(100) == 0, process.said
    with Image.open(tmp_path / "painted" / HOLIDAY) as painted:
        assert painted.size == (96, 64)


def test_the_edit_lines_of_the_readme(served: dict[str, str], tmp_path: Path) -> None:
    for command in EDIT:
        arguments = shlex.split(command)[1:]
        out = arguments.index("--out") + 1
        arguments[out] = str(tmp_path / arguments[out])
        with personne(*arguments, env=served) as process:
            assert process.popen.wait(100) == 0, process.said
    assert len(list((tmp_path / "smiling").iterdir())) == 8


def write_holiday(folder: Path) -> None:
    """A photo to translate."""
    Image.linear_gradient("L").resize((96, 64)).convert("RGB").save(folder / HOLIDAY)


def pairs(command: str) -> list[tuple[str, str]]:
    """Every word after `personne`, with the one before it."""
    words = shlex.split(command)
    return list(pairwise(words))
