"""The faces recipe as a whole: what a run leaves, how it ends, and that a killed one loses nothing."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.training.runs import assert_a_kill_loses_nothing, assert_same, state_of
from training.config import TrainingConfig
from training.errors import RunRefused, TrainingDiverged
from training.faces import train
from training.faces.run import RECIPE
from training.faces.state import fresh_state
from training.run import running
from training.snapshots import list_snapshots, open_snapshot


def test_what_a_run_leaves(trained_run: TrainingConfig) -> None:
    assert TrainingConfig.from_json((trained_run.out / "config.json").read_text()) == trained_run
    state = state_of(trained_run)
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
    average = state_of(trained_run)["average"]
    assert_same(dict(snapshot.generator().state_dict()), dict(average))
    assert all(tensor.dtype == torch.float32 for tensor in snapshot.tensors().values())


def test_training_moves_the_networks_and_keeps_the_mean_w(trained_run: TrainingConfig) -> None:
    torch.manual_seed(trained_run.seed)
    before = fresh_state(trained_run, torch.device("cpu")).generator.state_dict()
    after = state_of(trained_run)["generator"]
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"mapping.fc0.weight", "mapping.w_avg", "synthesis.b4.const", "synthesis.b16.torgb.weight"} <= moved
    assert "synthesis.b16.conv1.noise_const" not in moved


def test_stopping_and_going_on_equals_never_having_stopped(tiny: TrainingConfig, tmp_path: Path) -> None:
    train(tiny)
    stopped = dataclasses.replace(tiny, out=tmp_path / "stopped")
    train(dataclasses.replace(stopped, total_images=16))
    train(stopped)
    assert_same(state_of(stopped), state_of(tiny))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as_shipped"),
        pytest.param(
            {
                "augment": ("bgc",),
                "augment_probability": 0.2,
                "augment_target": 0.6,
                "augment_images": 300,
                "path_length_weight": 2.0,
                "path_length_interval_steps": 2,
                "freeze_layers": 2,
            },
            id="adaptive",
        ),
        pytest.param({"loss": "relativistic", "r1_interval_steps": 2}, id="relativistic"),
    ],
)
def test_a_killed_run_resumes_to_the_very_state(changes: dict[str, Any], tiny: TrainingConfig, tmp_path: Path) -> None:
    # Saved at every step, so that a kill may well hit a write.
    whole = dataclasses.replace(tiny, total_images=120, state_every_images=4, log_every_images=8, **changes)
    assert_a_kill_loses_nothing("training.faces", train, whole, tmp_path, rows=2)
    if "augment_target" in changes:
        saved = state_of(whole)
        assert saved["strength"]["value"] != 0.2
        assert saved["path_length"]["mean"] > 0
        untouched = fresh_discriminator(whole)
        assert_same({name: saved["discriminator"][name] for name in FROZEN}, {n: untouched[n] for n in FROZEN})
        assert not torch.equal(saved["discriminator"]["b4.out.weight"], untouched["b4.out.weight"])


def test_a_state_of_before_strength_and_path_length_were_kept_goes_on(tiny: TrainingConfig) -> None:
    train(dataclasses.replace(tiny, total_images=16))
    state = state_of(tiny)
    del state["strength"], state["path_length"]
    torch.save(state, tiny.out / "state.pt")
    config = json.loads((tiny.out / "config.json").read_text())
    later = ("loss", "penalty", "conditional", "num_classes", "freeze_layers", "augment_target", "path_length_weight")
    old = {name: value for name, value in config.items() if name not in later}
    (tiny.out / "config.json").write_text(json.dumps(old))
    train(tiny)
    assert (state_of(tiny)["images_seen"], state_of(tiny)["strength"]["value"]) == (40, 1.0)


FROZEN = ("b16.fromrgb.weight", "b16.fromrgb.bias", "b16.conv0.weight", "b16.conv0.bias")


def fresh_discriminator(config: TrainingConfig) -> dict[str, torch.Tensor]:
    torch.manual_seed(config.seed)
    return fresh_state(config, torch.device("cpu")).discriminator.state_dict()


def test_a_run_of_another_shape_is_refused(trained_run: TrainingConfig) -> None:
    with pytest.raises(RunRefused, match="begun with w_dim 16, not 32"):
        train(dataclasses.replace(trained_run, w_dim=32))


def test_two_processes_cannot_train_in_one_folder(tiny: TrainingConfig) -> None:
    with running(tiny, RECIPE), pytest.raises(RunRefused, match="another process"):
        train(tiny)


def test_a_run_that_diverges_stops_and_keeps_its_last_good_state(tiny: TrainingConfig) -> None:
    train(dataclasses.replace(tiny, total_images=8))
    with pytest.raises(TrainingDiverged):
        train(dataclasses.replace(tiny, learning_rate=1e30))
    state = state_of(tiny)
    assert state["images_seen"] == 8
    assert all(bool(tensor.isfinite().all()) for tensor in state["generator"].values())


def test_float32_and_no_augmentation_work_too(tiny: TrainingConfig) -> None:
    train(dataclasses.replace(tiny, bfloat16=False, augment=(), mirror=False, style_mixing=0.0, total_images=8))
    assert state_of(tiny)["images_seen"] == 8


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
