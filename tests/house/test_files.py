"""House rules that no linter has: how long files are, what they and their classes are called, what they may not say."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tracked import ROOT, tracked_files

MOST_LINES = 300
# Each with its reason; a file that has become short again must leave the list.
LONGER: dict[str, str] = {}
FORBIDDEN_FILES = {"utils", "helpers", "common", "misc", "core", "base"}
FORBIDDEN_ENDINGS = ("Manager", "Handler", "Helper", "Service", "Processor", "Wrapper", "Impl", "Info")
# Someone's machine, in a path that means nothing elsewhere.
MACHINE_PATH = re.compile(r"(?<![\w.{}$/])/(?:work|home/\w+|Users/\w+)/")

SOURCES = tracked_files("*.py")


def test_there_are_sources() -> None:
    assert Path("personne/cli.py") in SOURCES


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_file_is_long(path: Path) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    if str(path) in LONGER:
        assert lines > MOST_LINES, f"{path} has {lines} lines: take it off the list"
    else:
        assert lines <= MOST_LINES, f"{path} has {lines} lines: split it, or list it with a reason"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_names_say_what_things_are(path: Path) -> None:
    assert path.stem not in FORBIDDEN_FILES
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if name.endswith(FORBIDDEN_ENDINGS)] == []


def test_every_source_says_what_it_is() -> None:
    silent = [
        path
        for path in SOURCES
        if path.parts[0] not in {"tests", "benchmarks"}
        and (ROOT / path).stat().st_size
        and not ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_file_knows_a_machine() -> None:
    knowing = []
    for path in tracked_files():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        knowing += [f"{path}: {line.strip()[:100]}" for line in text.splitlines() if MACHINE_PATH.search(line)]
    assert knowing == []


def test_a_machine_path_would_be_noticed() -> None:
    assert MACHINE_PATH.search("data = '/" + "work/main/data'")
    assert MACHINE_PATH.search("/home" + "/somebody/faces")
    assert not MACHINE_PATH.search("https://example.org/work/7")
