"""The faces recipe as a whole: what a run leaves, how it ends, and that a killed one loses nothing."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from training.config import TrainingConfig
from training.errors import RunRefused, TrainingDiverged
from training.faces import train
from training.faces.run import opened_run
from training.faces.state import fresh_state, read_state
from training.snapshots import list_snapshots, open_snapshot

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
import torch
from training.config import TrainingConfig
from training.faces import train
torch.set_num_threads(1)
train(TrainingConfig.from_json(sys.stdin.read()))
"""


def assert_same(first: Any, second: Any, where: str = "state") -> None:
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_same(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list):
        assert len(first) == len(second), where
        for i, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, where=f"{where}[{i}]")
    else:
        assert first == second, where


def test_what_a_run_leaves(trained_run: TrainingConfig) -> None:
    assert TrainingConfig.from_json((trained_run.out / "config.json").read_text()) == trained_run
    state = read_state(trained_run.out / "state.pt")
    assert (state["images_seen"], state["steps"]) == (40, 10)
    rows = [json.loads(line) for line in (trained_run.out / "stats.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == list(range(4, 44, 4))
    assert {"g", "d", "real", "fake", "images_per_second"} <= rows[0].keys()
    assert [row["images_seen"] for row in rows if "r1" in row] == [4, 20, 36]
    with Image.open(trained_run.out / "samples" / "000000040.png") as grid:
        assert grid.size == (3 * 16, 2 * 16)
    assert [path.name for path in list_snapshots(trained_run.out)] == [
        "faces-000000020.safetensors",
        "faces-000000040.safetensors",
    ]
    assert not list(trained_run.out.rglob("*.partial"))


def test_the_snapshot_is_the_average(trained_run: TrainingConfig) -> None:
    snapshot = open_snapshot(trained_run.out)
    assert snapshot.images_seen == 40
    average = read_state(trained_run.out / "state.pt")["average"]
    assert_same(dict(snapshot.generator().state_dict()), dict(average))
    assert all(tensor.dtype == torch.float32 for tensor in snapshot.tensors().values())


def test_training_moves_the_networks_and_keeps_the_mean_w(trained_run: TrainingConfig) -> None:
    torch.manual_seed(trained_run.seed)
    before = fresh_state(trained_run, torch.device("cpu")).generator.state_dict()
    after = read_state(trained_run.out / "state.pt")["generator"]
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"mapping.fc0.weight", "mapping.w_avg", "synthesis.b4.const", "synthesis.b16.torgb.weight"} <= moved
    assert "synthesis.b16.conv1.noise_const" not in moved


def test_stopping_and_going_on_equals_never_having_stopped(tiny: TrainingConfig, tmp_path: Path) -> None:
    train(tiny)
    stopped = dataclasses.replace(tiny, out=tmp_path / "stopped")
    train(dataclasses.replace(stopped, total_images=16))
    train(stopped)
    assert_same(read_state(stopped.out / "state.pt"), read_state(tiny.out / "state.pt"))


def test_a_killed_run_resumes_to_the_very_state(tiny: TrainingConfig, tmp_path: Path) -> None:
    # Long enough to be killed in the midst, with saving at every step so that a kill may well hit a write.
    whole = dataclasses.replace(tiny, total_images=160, state_every_images=4, log_every_images=8)
    killed = dataclasses.replace(whole, out=tmp_path / "killed")
    command = [sys.executable, "-c", CHILD]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, text=True)
    assert process.stdin is not None
    process.stdin.write(killed.to_json())
    process.stdin.close()
    stats = killed.out / "stats.jsonl"
    while process.poll() is None and not (stats.exists() and stats.read_text().count("\n") >= 2):
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < read_state(killed.out / "state.pt")["images_seen"] < 160

    train(killed)
    train(whole)
    assert_same(read_state(killed.out / "state.pt"), read_state(whole.out / "state.pt"))
    rows = [json.loads(line)["images_seen"] for line in stats.read_text().splitlines()]
    assert rows == sorted(set(rows))
    assert rows[-1] == 160


def test_a_run_of_another_shape_is_refused(trained_run: TrainingConfig) -> None:
    with pytest.raises(RunRefused, match="begun with w_dim 16, not 32"):
        train(dataclasses.replace(trained_run, w_dim=32))


def test_two_processes_cannot_train_in_one_folder(tiny: TrainingConfig) -> None:
    with opened_run(tiny, torch.device("cpu")), pytest.raises(RunRefused, match="another process"):
        train(tiny)


def test_a_run_that_diverges_stops_and_keeps_its_last_good_state(tiny: TrainingConfig) -> None:
    train(dataclasses.replace(tiny, total_images=8))
    with pytest.raises(TrainingDiverged):
        train(dataclasses.replace(tiny, learning_rate=1e30))
    state = read_state(tiny.out / "state.pt")
    assert state["images_seen"] == 8
    assert all(bool(tensor.isfinite().all()) for tensor in state["generator"].values())


def test_float32_and_no_augmentation_work_too(tiny: TrainingConfig) -> None:
    train(dataclasses.replace(tiny, bfloat16=False, augment=(), mirror=False, style_mixing=0.0, total_images=8))
    assert read_state(tiny.out / "state.pt")["images_seen"] == 8


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("batch", 0, "at least 1"),
        ("batch", 6, "multiple of 4"),
        ("seed", -1, "from 0 to"),
        ("augment", ("colour", "spin"), "spin"),
        ("resolution", 24, "power of two"),
    ],
)
def test_a_config_out_of_bounds_is_refused(tiny: TrainingConfig, field: str, value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(tiny, **{field: value})
