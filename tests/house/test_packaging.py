"""What leaves this repository works elsewhere: the wheel, `make serve`, the installing steps of the images.

Each is tried in an environment outside the repository; the wheel takes the place of an editable installation, which
would hide what is missing.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.house.tracked import ROOT, tracked_files
from tests.personne.processes import ADDRESS, Process, clean_environment, ready

pytestmark = [pytest.mark.fresh, pytest.mark.timeout(600)]
NEEDED = ["app/pages/face.html", "app/static/", "jobs/lua/", "personne/cli.py", "models/manifest.py"]


def copy_of_the_tree(folder: Path) -> Path:
    """What a clone would hold, with changes that are not committed yet."""
    for path in tracked_files():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


def run(*command: str | Path, cwd: Path) -> str:
    """What a command says; its failure with all that it said."""
    # Compiling all that is installed takes most of the time, and nothing of it is looked at here.
    env = clean_environment() | {"PIP_COMPILE": "0"}
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=500, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".", cwd=tree)
    return next(folder.glob("personne-*.whl"))


def test_the_wheel_holds_more_than_code(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [needed for needed in NEEDED if not any(name.startswith(needed) for name in names)] == []
    tracked = [str(path) for path in tracked_files("app", "jobs", "marks", "models", "personne", "training", "worker")]
    assert sorted(set(tracked) - set(names)) == []
    assert not any(name.startswith("tests/") for name in names)
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}


def installing_step(dockerfile: str) -> str:
    """The RUN of a Dockerfile that makes the environment."""
    text = (ROOT / "docker" / dockerfile).read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [step for step in re.findall(r"^RUN (.*)$", text, re.MULTILINE) if "pip install" in step]
    assert len(steps) == 1
    return re.sub(r"--mount=\S+", "", steps[0])


@pytest.mark.parametrize(
    ("dockerfile", "imports", "absent"),
    [
        ("app.Dockerfile", "personne.run_web", ["onnxruntime", "torch", "onnx"]),
        ("worker.Dockerfile", "personne.run_worker, av", ["fastapi", "uvicorn", "torch", "onnx"]),
    ],
)
def test_the_steps_of_an_image(dockerfile: str, imports: str, absent: list[str], tree: Path, tmp_path: Path) -> None:
    environment = tmp_path / "opt" / "venv"
    run("bash", "-euc", installing_step(dockerfile).replace("/opt/venv", str(environment)), cwd=tree)
    look = f"import {imports}, sys; from importlib.util import find_spec; print(list(filter(find_spec, sys.argv[1:])))"
    found = run(environment / "bin" / "python", "-c", look, *absent, cwd=tmp_path)
    assert found.strip() == "[]"
    assert "Commands" in run(environment / "bin" / "personne", "--help", cwd=tmp_path)


@pytest.fixture(scope="module")
def clone(served: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in which `make serve` has been said for the first time."""
    clone = copy_of_the_tree(tmp_path_factory.mktemp("served") / "clone")
    (clone / ".venv" / "bin").mkdir(parents=True)  # what an interrupted first try leaves
    assert "pip install" in said_by_make_serve(clone, served)
    return clone


def test_make_serve_makes_its_environment_once(clone: Path, served: dict[str, str]) -> None:
    stamp = clone / ".venv" / "stamp"
    made = stamp.stat().st_mtime_ns
    again = said_by_make_serve(clone, served)
    assert stamp.stat().st_mtime_ns == made
    assert "pip install" not in again
    assert "making .venv" not in again
    packages = run(clone / ".venv" / "bin" / "python", "-m", "pip", "list", cwd=clone)
    assert "onnxruntime" in packages
    assert not re.search(r"^torch\b", packages, re.MULTILINE)


def test_the_wheel_serves_a_face(wheel: Path, clone: Path, served: dict[str, str], tmp_path: Path) -> None:
    """In place of the clone, whose folder it is not told."""
    python = clone / ".venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel, cwd=tmp_path)
    where = run(python, "-c", "import personne; print(personne.__file__)", cwd=tmp_path)
    assert "site-packages" in where
    process = Process([str(python.parent / "personne"), "serve", "--port", "0"], served, cwd=tmp_path)
    try:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        face = httpx.get(f"{address}/face", timeout=30)
        assert face.status_code == 200
        assert face.content[:2] == b"\xff\xd8"
        assert httpx.get(f"{address}/").text.startswith("<!")
    finally:
        process.close()


def said_by_make_serve(clone: Path, served: dict[str, str]) -> str:
    """What it says until it is ready."""
    make = ["make", "--no-print-directory", "serve", f"PYTHON={sys.executable}", "ARGS=--port 0"]
    process = Process(make, served | {"PATH": os.environ["PATH"]}, cwd=clone)
    try:
        ready(process.wait_for(ADDRESS, within_s=500)[1])
        return process.said
    finally:
        process.close()


def test_make_training_installs_what_training_needs() -> None:
    recipe = run("make", "-n", "training", f"PYTHON={sys.executable}", cwd=ROOT)
    installed = {extra for found in re.findall(r"'\.\[([a-z,]+)\]'", recipe) for extra in found.split(",")}
    assert installed >= {"app", "worker", "export", "training"}
    assert re.search(r"pip install --quiet --no-compile 'torch==", recipe), (
        "before the extras, or pip takes the largest build"
    )
    # `.venv-dev`, in which all tests run, holds the same and more: so it can be installed, and is enough.
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"][
        "dev"
    ]
    (itself,) = (each for each in dev if each.startswith("personne["))
    assert installed <= set(itself.removeprefix("personne[").rstrip("]").split(","))
