"""What a run does when it is interrupted or goes wrong, and what it may start from."""

import dataclasses
import json
import logging
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from models.manifest import GeneratorManifest
from models.networks.stylegan2 import Generator
from personne.commands.export_model import export_run
from tests.training.conftest import tiny_config
from tests.training.picture_folder import blot, write_csv
from tests.training.runs import assert_same, started, state_of, stats_of, wait_for_rows
from training.config import TrainingConfig
from training.errors import DatasetError, RunRefused, TrainingDiverged
from training.faces import train
from training.faces.run import RECIPE
from training.portraits.measures import LEAST_DIVERSITY, measure, troubles
from training.run import running
from training.run_log import RunLog
from training.snapshots import best_snapshot, list_snapshots, open_snapshot, save_snapshot, thin_snapshots


def test_ctrl_c_saves_and_the_run_goes_on_to_the_very_state(tiny: TrainingConfig, tmp_path: Path) -> None:
    # No state but the last would be saved without the interrupt.
    whole = dataclasses.replace(tiny, total_images=120, state_every_images=1000)
    stopped = dataclasses.replace(whole, out=tmp_path / "stopped")
    process = started("training.faces", stopped)
    wait_for_rows(stopped, process, 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert 0 < state_of(stopped)["images_seen"] < 120
    train(stopped)
    train(whole)
    assert_same(state_of(stopped), state_of(whole))


def test_a_slow_run_is_saved_by_the_clock_too(tiny: TrainingConfig, tmp_path: Path) -> None:
    whole = dataclasses.replace(tiny, total_images=120, state_every_images=1000)
    killed = dataclasses.replace(whole, out=tmp_path / "killed", state_every_s=0.0)
    process = started("training.faces", killed)
    wait_for_rows(killed, process, 2)
    process.kill()
    process.wait(60)
    assert 0 < state_of(killed)["images_seen"] < 120
    train(killed)
    train(whole)
    assert_same(state_of(killed), state_of(whole))
    early = dataclasses.replace(whole, out=tmp_path / "early", total_images=8)
    with running(early, RECIPE) as run:
        run.seen()
        run.save_if_due()
        assert not (early.out / "state.pt").exists(), "five minutes have not passed"


def test_a_run_that_diverges_says_what_to_try(tiny: TrainingConfig) -> None:
    with pytest.raises(TrainingDiverged, match=r"no longer .* finite number.*learning rate.*penalty on the gradient"):
        train(dataclasses.replace(tiny, learning_rate=1e30))


def test_collapse_and_memorising_are_told(
    tiny: TrainingConfig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tiny, RECIPE) as run:
        sound = measure(run.config, run.state, run.data)
        assert sound["swd"] > 0
        assert not troubles({**sound, "diversity": 0.9, "memorising": 0.1})

        def all_alike(z_NZ: Tensor, c_NY: Tensor | None, psi: float) -> Tensor:  # noqa: ARG001  # as it is called
            return torch.zeros(len(z_NZ), 3, 16, 16)

        def knows_the_dark(x_NCHW: Tensor, c_NY: Tensor | None) -> Tensor:  # noqa: ARG001  # as it is called
            # Those held out are red.
            return 0.5 - x_NCHW[:, 0].mean(dim=(1, 2))[:, None]

        monkeypatch.setattr(run.state, "draw", all_alike)
        monkeypatch.setattr(run.state, "judge", knows_the_dark)
        wrong = measure(run.config, run.state, run.data)
    assert wrong["diversity"] == 0
    assert wrong["memorising"] == 2
    told = troubles(wrong)
    assert "collapsing" in told["diversity"]
    assert "never saw" in told["memorising"]
    assert "r1_gamma" in told["diversity"]
    assert "augment_target" in told["memorising"]
    monkeypatch.setattr("training.portraits.records.measure", lambda *_: wrong)
    with caplog.at_level(logging.WARNING):
        train(dataclasses.replace(tiny, total_images=20))
    assert [record.message for record in caplog.records if "at image 20" in record.message] == [
        f"at image 20 {text}." for text in told.values()
    ]


def test_memorising_is_measured_by_fewer_pictures_than_a_batch(tiny: TrainingConfig, tmp_path: Path) -> None:
    """25 of 500 pictures are held out, and a batch on a GPU is of 64: nobody was told that it memorised."""
    folder = tmp_path / "faces"
    folder.mkdir()
    rows = [{"file": f"{i:02d}.png", "split": "test" if i < 18 else "train"} for i in range(40)]
    for number, row in enumerate(rows):
        blot(number, (16, 16)).save(folder / row["file"])
    write_csv(tmp_path / "faces.csv", rows)
    train(dataclasses.replace(tiny, data=folder, batch=32, total_images=32))
    assert "memorising" in open_snapshot(tiny.out).measured


def test_the_best_snapshot_stays(tmp_path: Path) -> None:
    kwargs: dict[str, Any] = {
        "z_dim": 8,
        "c_dim": 0,
        "w_dim": 8,
        "img_resolution": 8,
        "img_channels": 3,
        "mapping_kwargs": {"num_layers": 1},
        "synthesis_kwargs": {"channel_base": 32, "channel_max": 4},
    }
    generator = Generator(**kwargs)
    for thousands, swd in zip(range(1, 9), (9, 8, 3, 7, 6, 5, 5, 4), strict=True):
        save_snapshot(tmp_path, generator, thousands * 1000, kwargs, measured={"swd": swd})
        thin_snapshots(tmp_path, 1000, keep=1)
    assert [int(path.stem[-9:]) // 1000 for path in list_snapshots(tmp_path)] == [1, 2, 3, 4, 8]
    best = best_snapshot(tmp_path)
    assert best is not None
    assert open_snapshot(best).measured == {"swd": 3}


@pytest.fixture(scope="module")
def labelled(blots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip as StyleGAN's tools write it, of two classes."""
    target = tmp_path_factory.mktemp("labelled") / "blots.zip"
    pictures = sorted(blots.glob("*.png"))
    with zipfile.ZipFile(target, "w") as archive:
        for path in pictures:
            archive.write(path, path.name)
        labels = [[path.name, i % 2] for i, path in enumerate(pictures)]
        archive.writestr("dataset.json", json.dumps({"labels": labels}))
    return target


def test_a_conditional_run_learns_labels_and_resumes(labelled: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(tiny_config(labelled, tmp_path / "whole"), conditional=True, total_images=24)
    stopped = dataclasses.replace(config, out=tmp_path / "stopped")
    train(config)
    train(dataclasses.replace(stopped, total_images=8))
    train(stopped)
    assert_same(state_of(stopped), state_of(config))
    snapshot = open_snapshot(config.out)
    assert snapshot.generator_kwargs["c_dim"] == 2
    generator, z = snapshot.generator(), torch.randn(1, 16)
    first, second = (generator(z, torch.eye(2)[i : i + 1], noise_mode="const") for i in range(2))
    assert (first - second).abs().max() > 0
    with Image.open(config.out / "samples" / "000000024.png") as grid:
        assert grid.size == (48, 32)
    path = save_snapshot(tmp_path, generator, 1, snapshot.generator_kwargs, class_names=("dull", "bright"))
    manifest = export_run(path, name="two", store=tmp_path / "store").manifest
    assert isinstance(manifest, GeneratorManifest)
    assert (manifest.c_dim, manifest.class_names) == (2, ("dull", "bright"))


def test_a_conditional_run_without_labels_says_what_to_do(tiny: TrainingConfig) -> None:
    with pytest.raises(DatasetError, match=r"no labels .*personne dataset pack"):
        train(dataclasses.replace(tiny, conditional=True))


@pytest.mark.parametrize("bundled", [False, True])
def test_a_run_starts_from_a_model(trained_run: TrainingConfig, tmp_path: Path, *, bundled: bool) -> None:
    entry = export_run(trained_run.out, name="tiny", store=tmp_path / "store")
    if bundled:
        (entry.folder / "weights.safetensors").unlink()
    config = dataclasses.replace(trained_run, out=tmp_path / "run", init_from=entry.folder)
    kept = open_snapshot(trained_run.out).tensors()
    with running(config, RECIPE) as run:
        own = run.state.generator.state_dict()
        assert run.state.generator_waits_until > 0
    for name, tensor in kept.items():
        torch.testing.assert_close(
            own[name], tensor.half().float() if tensor.numel() > 1 else tensor, atol=2e-3, rtol=0
        )


def test_a_damaged_run_to_start_from_is_refused_with_what_helps(trained_run: TrainingConfig, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "state.pt").write_bytes((trained_run.out / "state.pt").read_bytes()[:5000])
    config = dataclasses.replace(trained_run, out=tmp_path / "run", init_from=tmp_path / "cut")
    with pytest.raises(RunRefused, match=r"state\.pt is damaged .*: give a snapshot"), running(config, RECIPE):
        pass


def test_a_run_starts_from_a_checkpoint_of_its_family_alone(trained_run: TrainingConfig, tmp_path: Path) -> None:
    loose = tmp_path / "someone.safetensors"
    loose.write_bytes(list_snapshots(trained_run.out)[-1].read_bytes())
    with running(dataclasses.replace(trained_run, out=tmp_path / "run", init_from=loose), RECIPE) as run:
        kept = open_snapshot(trained_run.out).tensors()
        assert torch.equal(run.state.average.synthesis.b4.const, kept["synthesis.b4.const"])
    from training.progressive.config import ProgressiveConfig
    from training.progressive.state import RECIPE as PROGRESSIVE

    other = ProgressiveConfig(
        data=trained_run.data,
        out=tmp_path / "other",
        resolution=16,
        total_images=8,
        batch=4,
        device="cpu",
        channel_base=64,
        channel_max=4,
        z_dim=8,
        init_from=trained_run.out / "snapshots" / list_snapshots(trained_run.out)[-1].name,
    )
    with (
        pytest.raises(RunRefused, match="is a stylegan2 network, and this run trains a pggan"),
        running(other, PROGRESSIVE),
    ):
        pass


def test_memory_and_measures_are_in_the_statistics(trained_run: TrainingConfig) -> None:
    rows = stats_of(trained_run)
    assert all(row["memory_gb"] > 0 for row in rows)
    card = (trained_run.out / "card.md").read_text()
    assert "swd" in card
    # Each snapshot's in the row of its own image; the last one's never came, and others' came a row later.
    measured = {row["images_seen"]: row["swd"] for row in rows if "swd" in row}
    snapshots = [open_snapshot(path) for path in list_snapshots(trained_run.out)]
    assert measured == {each.images_seen: each.measured["swd"] for each in snapshots}


def test_tensorboard_forgets_what_a_killed_run_told_of_later_images(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for seen, last in ((0, 30), (10, 40)):
        with RunLog(tmp_path, "tiny", 40, seen, torch.device("cpu")) as log:
            for image in range(seen + 10, last + 1, 10):
                log.add(loss=float(seen))
                log.report(image)
        # Its files are told apart by the second.
        time.sleep(1.1)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(each.step, each.value) for each in events.Scalars("loss")] == [(10, 0), (20, 10), (30, 10), (40, 10)]


def test_what_is_compared_is_of_the_whole_set(tiny: TrainingConfig, tmp_path: Path) -> None:
    """Pictures in the order of their names come folder by folder: of 400 in two folders, those compared were all of
    the first, dark one, and a generator of such alone passed for varied."""
    rows = []
    for number in range(400):
        folder, level = ("dark", number % 8) if number < 200 else ("light", 255 - number % 8)
        (tmp_path / "faces" / folder).mkdir(parents=True, exist_ok=True)
        rows.append({"file": f"{folder}/{number:03d}.png", "split": "test" if number % 2 else "train"})
        Image.new("RGB", (16, 16), (level,) * 3).save(tmp_path / "faces" / rows[-1]["file"])
    write_csv(tmp_path / "faces.csv", rows)
    config = dataclasses.replace(tiny, data=tmp_path / "faces", measured_pictures=200)
    with running(config, RECIPE) as run:
        assert run.data.held_out is not None
        assert run.data.held_out.float().mean() == pytest.approx(127.5, abs=2)
        run.state.draw = lambda z_NZ, *_: -torch.ones(len(z_NZ), 3, 16, 16) + 0.02 * torch.rand(len(z_NZ), 1, 1, 1)  # type: ignore[method-assign]
        assert measure(run.config, run.state, run.data)["diversity"] < LEAST_DIVERSITY / 10
