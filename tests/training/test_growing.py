import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from models.networks.filters import downsample
from models.networks.stylegan2_discriminator import Discriminator
from tests.training.runs import state_of
from training.config import TrainingConfig
from training.errors import RunRefused
from training.faces import train
from training.faces.growing import HEAD_START_IMAGES, judge_by_half
from training.faces.loop import augmentation_strength
from training.faces.run import RECIPE
from training.faces.state import TrainingState
from training.run import running
from training.snapshots import list_snapshots, open_snapshot


def grown(small: TrainingConfig, source: Path, out: Path) -> tuple[TrainingConfig, TrainingState]:
    config = dataclasses.replace(small, resolution=32, init_from=source, out=out)
    with running(config, RECIPE) as run:
        return config, run.state


def test_a_run_grows_and_keeps_its_layers(trained_run: TrainingConfig, tmp_path: Path) -> None:
    config, state = grown(trained_run, trained_run.out, tmp_path / "grown")
    trained = state_of(trained_run)
    for name in ("generator", "average", "discriminator"):
        own = getattr(state, name).state_dict()
        shared = {key for key in trained[name] if key in own and own[key].shape == trained[name][key].shape}
        assert {key for key in trained[name] if "b16.fromrgb" not in key} == shared
        for key in shared:
            assert torch.equal(own[key], trained[name][key]), key
    assert state.images_seen == 0
    assert TrainingConfig.from_json((config.out / "config.json").read_text()).init_from == trained_run.out


def test_a_grown_generator_begins_with_its_old_pictures_enlarged(trained_run: TrainingConfig, tmp_path: Path) -> None:
    _, state = grown(trained_run, trained_run.out, tmp_path / "grown")
    z = torch.randn(2, trained_run.z_dim)
    old = open_snapshot(trained_run.out).generator()(z, noise_mode="const")
    new = state.average(z, noise_mode="const")
    assert new.shape == (2, 3, 32, 32)
    torch.testing.assert_close(
        F.avg_pool2d(new, 2)[:, :, 2:-2, 2:-2].mean(), old[:, :, 2:-2, 2:-2].mean(), atol=0.05, rtol=0
    )
    correlation = torch.corrcoef(torch.stack([F.avg_pool2d(new, 2).flatten(), old.flatten()]))[0, 1]
    assert correlation > 0.9


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
@pytest.mark.parametrize("img_channels", [1, 3])
def test_a_grown_discriminator_begins_with_what_the_old_one_says_of_the_picture_halved(
    architecture: str, img_channels: int
) -> None:
    how: dict[str, Any] = {"architecture": architecture, "channel_base": 512, "channel_max": 24}
    old, new = (Discriminator(0, side, img_channels, **how) for side in (16, 32))
    torch.nn.init.normal_(old.get_parameter("b16.fromrgb.bias"))
    fresh = {name: tensor.clone() for name, tensor in new.state_dict().items() if "b32" in name}
    new.load_state_dict(fresh | {name: tensor for name, tensor in old.state_dict().items() if name in new.state_dict()})
    picture = torch.randn(8, img_channels, 32, 32)
    judge_by_half(new, old.state_dict())
    filter_TT = new.get_buffer("b32.resample_filter")
    torch.testing.assert_close(new(picture), old(downsample(picture, filter_TT)), rtol=1e-4, atol=1e-4)
    new(picture).sum().backward()
    # What was set to nothing is not beyond learning.
    gradient = new.get_parameter("b32.conv1.weight").grad
    assert gradient is not None
    assert gradient.abs().max() > 0


def test_a_discriminator_that_is_too_narrow_to_carry_colours_keeps_its_fresh_layers() -> None:
    old, new = (Discriminator(0, side, 3, channel_base=128, channel_max=24) for side in (16, 32))
    fresh = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    judge_by_half(new, old.state_dict())
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in new.state_dict().items())


def test_a_snapshot_gives_both_generators_its_average(trained_run: TrainingConfig, tmp_path: Path) -> None:
    _, state = grown(trained_run, list_snapshots(trained_run.out)[-1], tmp_path / "grown")
    for network in (state.generator, state.average):
        tensors = open_snapshot(trained_run.out).tensors()
        assert all(torch.equal(network.state_dict()[name], tensors[name]) for name in tensors)


def test_a_grown_run_trains_and_resumes(trained_run: TrainingConfig, tmp_path: Path) -> None:
    config, _ = grown(trained_run, trained_run.out, tmp_path / "grown")
    train(dataclasses.replace(config, total_images=8))
    # The command that goes on need not repeat where the run came from.
    train(dataclasses.replace(config, total_images=16, init_from=None))
    assert state_of(config)["images_seen"] == 16
    assert TrainingConfig.from_json((config.out / "config.json").read_text()).init_from == trained_run.out
    new_layer = state_of(config)["generator"]["synthesis.b32.torgb.weight"]
    assert new_layer.abs().max() > 0


def test_a_run_of_which_nothing_fits_is_refused(trained_run: TrainingConfig, tmp_path: Path) -> None:
    other = dataclasses.replace(
        trained_run, z_dim=24, w_dim=24, channel_base=96, channel_max=12, out=tmp_path / "other"
    )
    other = dataclasses.replace(other, init_from=trained_run.out, mapping_layers=1)
    with pytest.raises(RunRefused, match="channels"), running(other, RECIPE):
        pass


def test_after_a_snapshot_the_discriminator_learns_alone_first(
    trained_run: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.faces.growing.HEAD_START_IMAGES", 16)
    source = list_snapshots(trained_run.out)[-1]
    config, state = grown(trained_run, source, tmp_path / "grown")
    begun = {name: tensor for name, tensor in open_snapshot(source).tensors().items() if name.endswith(".weight")}
    untaught = state.discriminator.b4.out.bias.clone()
    train(dataclasses.replace(config, total_images=16))
    waited = state_of(config)
    assert all(torch.equal(waited["generator"][name], begun[name]) for name in begun)
    assert not torch.equal(waited["discriminator"]["b4.out.bias"], untaught)
    train(dataclasses.replace(config, total_images=32))
    moved = state_of(config)["generator"]
    assert not all(torch.equal(moved[name], begun[name]) for name in begun)


def test_augmentation_grows_during_a_head_start(trained_run: TrainingConfig, tmp_path: Path) -> None:
    _, state = grown(trained_run, list_snapshots(trained_run.out)[-1], tmp_path / "grown")
    state.strength.value = 0.5
    strengths = []
    for seen in (0, HEAD_START_IMAGES // 4, HEAD_START_IMAGES // 2, HEAD_START_IMAGES, 2 * HEAD_START_IMAGES):
        state.images_seen = seen
        strengths.append(augmentation_strength(state))
    assert strengths == [0, 0.25, 0.5, 0.5, 0.5]
    state.generator_waits_until = state.images_seen = 0
    assert augmentation_strength(state) == 0.5
