"""From a run to a store of its own, by the command that makes the bundled model; the stages have tests of their own."""

import json
import subprocess
import sys
from pathlib import Path

from training.config import TrainingConfig

ROOT = Path(__file__).parents[2]


def shipped(run: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.shipping", str(run), "--out", str(out), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_is_done_is_not_done_again_and_half_a_model_is_not_installed(
    trained_run: TrainingConfig, tmp_path: Path
) -> None:
    first = shipped(trained_run.out, tmp_path, "--only", "nothing")
    assert first.returncode == 0, first.stderr
    assert "export: done before" not in first.stdout
    manifest = json.loads((tmp_path / "faces" / "manifest.json").read_text())
    assert manifest["resolution"] == trained_run.resolution
    again = shipped(trained_run.out, tmp_path, "--only", "nothing", "--install")
    assert "export: done before" in again.stdout
    assert again.returncode == 1
    assert "not installed: checked, directions" in again.stderr
