"""The translation recipe as a whole: what a run leaves, that it learns, and that a killed one loses nothing."""

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

from models.networks.translator import ResnetTranslator
from training.errors import RunRefused, TrainingDiverged
from training.saved_state import read_state
from training.snapshots import list_snapshots, open_snapshot
from training.translation import train
from training.translation.config import TranslationConfig
from training.translation.state import STATE_VERSION

ROOT = Path(__file__).parents[3]
CHILD = """
import sys
import torch
from training.translation import train
from training.translation.config import TranslationConfig
torch.set_num_threads(1)
train(TranslationConfig.from_json(sys.stdin.read()))
"""


def state_of(config: TranslationConfig) -> dict[str, Any]:
    return read_state(config.out / "state.pt", STATE_VERSION)


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


def test_what_a_run_leaves(tiny_translation: TranslationConfig) -> None:
    train(tiny_translation)
    run = tiny_translation.out
    assert TranslationConfig.from_json((run / "config.json").read_text()) == tiny_translation
    rows = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == list(range(4, 24, 4))
    assert {"g", "d_b", "images_per_second"} <= rows[0].keys()
    pictures_a_row = {"cyclegan": 3, "cut": 2, "pix2pix": 3}[tiny_translation.objective]
    with Image.open(run / "samples" / "000000020.png") as grid:
        assert grid.size == (2 * pictures_a_row * 16, 2 * 16)
    assert [path.stem for path in list_snapshots(run)] == ["translation-000000010", "translation-000000020"]
    backward = [path.stem for path in list_snapshots(run, "backward")]
    assert backward == (
        ["backward-000000010", "backward-000000020"] if tiny_translation.objective == "cyclegan" else []
    )
    assert not list(run.rglob("*.partial"))


def test_the_snapshot_is_the_average_and_moved(tiny_translation: TranslationConfig) -> None:
    train(tiny_translation)
    snapshot = open_snapshot(tiny_translation.out)
    assert (snapshot.family, snapshot.images_seen) == ("cyclegan", 20)
    network = ResnetTranslator(**snapshot.generator_kwargs)
    network.load_state_dict(snapshot.tensors())
    state = state_of(tiny_translation)
    assert_same(dict(snapshot.tensors()), dict(state["average_ab"]))
    assert all(not torch.equal(state["average_ab"][name], state["generator_ab"][name]) for name in ("model.1.weight",))
    with pytest.raises(RunRefused, match="not a generator of faces"):
        snapshot.generator()


def test_a_killed_run_resumes_to_the_very_state(tiny_translation: TranslationConfig, tmp_path: Path) -> None:
    whole = dataclasses.replace(tiny_translation, total_images=60, state_every_images=2)
    killed = dataclasses.replace(whole, out=tmp_path / "killed")
    process = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdin is not None
    process.stdin.write(killed.to_json())
    process.stdin.close()
    stats = killed.out / "stats.jsonl"
    # Past the filling of the pool, so that what it holds and draws matters.
    while process.poll() is None and not (stats.exists() and stats.read_text().count("\n") >= 3):
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < state_of(killed)["images_seen"] < 60

    train(killed)
    train(whole)
    assert_same(state_of(killed), state_of(whole))
    rows = [json.loads(line)["images_seen"] for line in stats.read_text().splitlines()]
    assert rows == list(range(4, 64, 4))


def test_the_rate_falls_and_identity_gives_way(tiny_translation: TranslationConfig) -> None:
    config = dataclasses.replace(tiny_translation, total_images=100, batch=4, identity_weight=5, identity_weight_end=1)
    assert [config.rate_at(seen) for seen in (0, 50, 75, 100)] == pytest.approx([2e-4, 2e-4, 1e-4, 0])
    assert dataclasses.replace(config, scaled_rate=True).rate_at(0) == pytest.approx(4e-4)
    assert [config.identity_weight_at(seen) for seen in (0, 50, 100)] == pytest.approx([5, 3, 1])


def test_a_run_of_another_shape_is_refused(tiny_translation: TranslationConfig) -> None:
    train(dataclasses.replace(tiny_translation, total_images=4))
    with pytest.raises(RunRefused, match="begun with ngf 4, not 8"):
        train(dataclasses.replace(tiny_translation, ngf=8))


def test_a_run_starts_from_another(tiny_translation: TranslationConfig, tmp_path: Path) -> None:
    train(tiny_translation)
    source = state_of(tiny_translation)
    frozen = dataclasses.replace(tiny_translation, out=tmp_path / "second", learning_rate=0.0, total_images=2)
    train(dataclasses.replace(frozen, init_from=tiny_translation.out))
    assert_same(state_of(frozen)["generator_ab"], source["generator_ab"])
    third = dataclasses.replace(frozen, out=tmp_path / "third", init_from=list_snapshots(tiny_translation.out)[-1])
    train(third)
    assert_same(state_of(third)["generator_ab"], source["average_ab"])


def test_a_run_that_diverges_stops_and_keeps_its_last_good_state(tiny_translation: TranslationConfig) -> None:
    train(dataclasses.replace(tiny_translation, total_images=8))
    with pytest.raises(TrainingDiverged):
        train(dataclasses.replace(tiny_translation, learning_rate=1e30))
    assert state_of(tiny_translation)["images_seen"] == 8
