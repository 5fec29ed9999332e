"""The chart as Helm renders it, in a process of its own: the library's runtime has its own mind about signals."""

import functools
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.house.tracked import ROOT

CHART = ROOT / "charts" / "personne"
VALUES_FILES = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE, NAMESPACE = "faces", "prod"
HAS_HELM = importlib.util.find_spec("helm_python") is not None
Manifest = dict[str, Any]

_RENDER = """
import json, sys
import helm_python
chart, release, namespace = sys.argv[1:]
with helm_python.Chart.load(chart) as loaded:
    for values in json.load(sys.stdin):
        try:
            loaded.validate_schema(values)
            answer = {"files": loaded.render(values, name=release, namespace=namespace)}
        except helm_python.HelmError as error:
            answer = {"refused": str(error)}
        print("\\0" + json.dumps(answer))
print("\\0" + json.dumps(helm_python.lint(chart)))
"""


def values_of(path: Path) -> dict[str, Any]:
    """A values file."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def render_all(cases: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """For each of these values the rendered `files`, or why it was `refused`; and what the linter says."""
    command = [sys.executable, "-c", _RENDER, CHART, RELEASE, NAMESPACE]
    result = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    # Each answer follows a NUL: the library itself may print too.
    *answers, lint = [json.loads(part.partition("\n")[0]) for part in result.stdout.split("\0")[1:]]
    return answers, lint


def manifests_of(answer: dict[str, Any]) -> list[Manifest]:
    """The objects of a rendering. Fails with Helm's sentence where it was refused."""
    assert "refused" not in answer, answer["refused"]
    texts = [text for name, text in sorted(answer["files"].items()) if not name.endswith(".txt")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


@functools.cache
def rendered(path: Path) -> list[Manifest]:
    """The objects of one of the values files."""
    return manifests_of(render_all([values_of(path)])[0][0])
