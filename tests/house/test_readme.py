"""Every command that the README shows is run by a test, or stands here with what covers it."""

import re

import pytest

from tests.house.tracked import ROOT

BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
COMMANDS = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]

# The beginning of a command, and the test that runs it (or its like).
COVERED = {
    "make serve": "tests/house/test_packaging.py::test_make_serve_makes_its_environment_once",
    "make test": "tests/house/test_readme.py::test_this_is_run_by_make_test",
    "make training": "tests/house/test_packaging.py::test_make_training_installs_what_training_needs",
    "docker compose": "tests/house/test_containers.py::test_a_compose_parser_accepts_the_file",
    "personne web --queue": "tests/personne/test_many_processes.py::test_health_tells_who_is_well",
    "personne worker --queue": ("tests/personne/test_many_processes.py::test_a_killed_worker_loses_no_request"),
    "personne import styles": (
        "tests/personne/test_import_folder.py::test_it_is_there_under_its_name_with_all_its_files"
    ),
    "personne import": "tests/personne/test_import.py::test_a_published_case_is_imported_and_draws_as_published",
    "personne train faces": "tests/personne/test_train.py::test_a_run_is_killed_resumed_exported_and_served",
    "personne export runs/mine": "tests/personne/test_train.py::test_a_run_is_killed_resumed_exported_and_served",
    "personne models": "tests/personne/test_cli.py::test_models_are_listed_and_refusals_explained",
    "personne sample": "tests/personne/test_readme_commands.py::test_the_sample_lines_of_the_readme",
    "personne edit": "tests/personne/test_readme_commands.py::test_the_edit_lines_of_the_readme",
    "personne translate": "tests/personne/test_readme_commands.py::test_the_translate_lines_of_the_readme",
    "curl ": "tests/personne/test_readme_commands.py::test_the_curl_lines_of_the_readme",
}


def test_the_readme_shows_commands() -> None:
    assert "make serve" in COMMANDS
    assert any(command.startswith("curl ") for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_covered(command: str) -> None:
    covering = [test for beginning, test in COVERED.items() if command.startswith(beginning)]
    assert covering, f"no test runs {command!r}"
    path, name = covering[0].split("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_nothing_is_covered_that_the_readme_no_longer_shows() -> None:
    unused = [beginning for beginning in COVERED if not any(command.startswith(beginning) for command in COMMANDS)]
    assert unused == []


def test_this_is_run_by_make_test() -> None:
    recipe = re.search(r"^test: .*\n\t(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe
    assert '-m pytest -m "not browser"' in recipe[1]
