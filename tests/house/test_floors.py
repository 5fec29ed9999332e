"""Who may know whom: the contracts hold, and the processes that serve stay free of what they must not hold."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tracked import ROOT

# Run in a process of its own: names of heavy modules that the imports before it have brought in.
PROBE = "import sys; print(sorted({name.split('.')[0] for name in sys.modules} & set(sys.argv[1:])))"


def heavy_after(imports: str, *heavy: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", f"{imports}; {PROBE}", *heavy], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_the_contracts_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([linter, "--no-cache"], check=False, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_probe_sees_torch() -> None:
    assert heavy_after("import torch", "torch", "onnx") == "['torch']"


@pytest.mark.parametrize(
    "imports",
    [
        "import personne.run_embedded",
        "import personne.run_web",
        "import personne.run_worker",
        "import app.web",
        "import worker.loop, worker.tasks.generate",
        "import personne.commands.sample, personne.commands.list_models, personne.commands.check_health",
    ],
)
def test_serving_imports_no_torch(imports: str) -> None:
    assert heavy_after(imports, "torch", "onnx", "onnxscript", "safetensors") == "[]"


def test_the_web_imports_no_engine() -> None:
    assert heavy_after("import personne.run_web", "onnxruntime", "openvino") == "[]"


def test_a_worker_imports_no_web() -> None:
    assert heavy_after("import personne.run_worker", "fastapi", "uvicorn", "starlette") == "[]"


def test_the_command_line_is_light() -> None:
    heavy = ("fastapi", "numpy", "onnxruntime", "PIL", "pydantic", "redis", "torch")
    assert heavy_after("import personne.cli", *heavy) == "[]"


def extras() -> dict[str, list[str]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: dict[str, list[str]] = tomllib.load(file)["project"]["optional-dependencies"]
    return found


def test_the_extras_are_the_floors() -> None:
    assert set(extras()) == {"app", "marks", "worker", "gpu", "openvino", "otel", "video", "export", "training", "dev"}


def test_no_extra_brings_two_runtimes_of_one_module() -> None:
    runtimes = {
        extra: {one for one in ("onnxruntime", "onnxruntime-gpu") for line in lines if names(line) == one}
        for extra, lines in extras().items()
    }
    assert runtimes == {
        "app": set(),
        "marks": set(),
        "worker": {"onnxruntime"},
        "gpu": {"onnxruntime-gpu"},
        "openvino": set(),
        "otel": set(),
        "video": set(),
        "export": set(),
        "training": set(),
        "dev": set(),
    }
    assert "gpu" not in extras()["dev"][0]


def test_serving_asks_for_no_torch() -> None:
    asked = {names(line) for extra in ("app", "marks", "worker", "gpu", "openvino") for line in extras()[extra]}
    assert "torch" not in asked


def names(requirement: str) -> str:
    """The distribution that a requirement line asks for."""
    return re.split(r"[\[<>=]", requirement, maxsplit=1)[0].strip()
