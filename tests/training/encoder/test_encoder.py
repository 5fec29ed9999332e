"""The encoder's recipe: samples that their ws draw again, a run that learns and goes on."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from models.networks.encoder import EncoderNetwork, halved
from tests.tiny_networks import tiny_network
from tests.training.runs import assert_same
from training.encoder import train
from training.encoder.config import EncoderConfig
from training.encoder.losses import latent_loss, picture_loss, prior_loss
from training.encoder.own_samples import draw_samples
from training.encoder.run import Sources, begin_with, fresh_state, tell_latents
from training.encoder.worn import worn
from training.errors import RunRefused
from training.snapshots import list_snapshots, open_snapshot


@pytest.fixture(scope="module")
def generator() -> Iterator[Any]:
    network, _, _ = tiny_network("stylegan2")
    yield network.eval().requires_grad_(False)


def config(out: Path, data: Path | None = None, **fields: object) -> EncoderConfig:
    tiny = EncoderConfig(
        model="0f1e2d3c4b5a6978",
        data=data,
        out=out,
        total_images=64,
        batch=8,
        device="cpu",
        samples=16,
        width=8,
        widest=16,
        hidden=16,
        redrawn=2,
        log_every_images=16,
        state_every_images=16,
        samples_every_images=64,
        snapshot_every_images=64,
    )
    return dataclasses.replace(tiny, **fields)  # type: ignore[arg-type]


def test_samples_are_what_their_ws_draw_and_always_the_same(generator: Any) -> None:
    own, again = draw_samples(generator, 20, seed=1), draw_samples(generator, 20, seed=1)
    assert torch.equal(own.pictures, again.pictures)
    assert not torch.equal(own.pictures, draw_samples(generator, 20, seed=2).pictures)
    drawn = generator.synthesis(own.ws[5:8], noise_mode="const")
    levels = (drawn * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    assert (levels.int() - own.pictures[5:8].int()).abs().max() <= 1
    assert own.w_std.shape == (24,)
    mixed = (own.ws[:, 0] != own.ws[:, -1]).any(1)
    assert 0 < int(mixed.sum()) < 20


def test_what_is_worn_is_still_that_picture() -> None:
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(16, 3, 4, 4) * 2 - 1, size=32, mode="bilinear")
    altered = worn(smooth)
    assert altered.shape == smooth.shape
    change = (altered - smooth).abs().mean(dim=(1, 2, 3))
    assert change.max() < 0.25
    assert (change > 0.01).sum() > 4


def test_losses_vanish_where_nothing_differs() -> None:
    ws, spread = torch.randn(2, 6, 24), torch.rand(24) + 0.5
    assert latent_loss(ws, ws, spread) == 0
    assert latent_loss(ws + spread, ws, spread) == pytest.approx(1)
    x = torch.rand(2, 3, 16, 16)
    assert picture_loss(x, x) == 0
    assert picture_loss(x + 0.1, x) == pytest.approx(0.1, abs=1e-5)
    average = torch.randn(24)
    assert prior_loss(average.expand(2, 6, 24), average, spread) == pytest.approx(0)


def test_halving_is_the_mean_of_four() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    torch.testing.assert_close(halved(x), torch.nn.functional.avg_pool2d(x, 2))


def test_a_batch_is_half_photos_once_they_come_in(generator: Any) -> None:
    own = draw_samples(generator, 16, seed=1)
    sources = Sources(own, None, 0.0)
    pictures, ws = sources.batch(0, 8)
    assert len(pictures) == len(ws) == 8
    rows = sources.redrawn(2, 4, 8)
    assert (rows[:2] < 4).all()
    assert (rows[2:] >= 4).all()
    assert len(rows) == 4


def test_it_learns_its_own_pictures(generator: Any, tmp_path: Path) -> None:
    train(
        config(tmp_path / "run", total_images=800, own_share=1.0, log_every_images=160, learning_rate=3e-3), generator
    )
    rows = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    assert rows[-1]["latents"] < 0.7 * rows[0]["latents"]


def test_a_run_with_photos_goes_on(generator: Any, blots: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(config(out, blots, total_images=32), generator)
    train(config(out, blots), generator)
    rows = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    assert [row["images_seen"] for row in rows] == [16, 32, 48, 64]
    assert "pictures" in rows[-1]
    snapshot = list_snapshots(out, "encoder")[-1]
    encoder = EncoderNetwork(**open_snapshot(snapshot).generator_kwargs)
    encoder.load_state_dict(open_snapshot(snapshot).tensors())
    assert encoder.eval()(torch.zeros(2, 3, 16, 16)).shape == (2, generator.num_ws, generator.w_dim)
    assert not torch.equal(encoder.w_std, torch.ones(24)), "it knows where latents lie"
    with pytest.raises(RunRefused, match="begun with model"):
        train(config(out, blots, model="another"), generator)


def test_a_run_goes_on_with_the_samples_that_it_kept(
    generator: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "training.encoder")

    def drew(*, stopped: bool = False, **fields: object) -> bool:
        """Whether the run drew samples as it began or went on. stopped: by Ctrl-C, after a step."""
        caplog.clear()
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) if stopped else nullcontext():
            if stopped:
                patch.setattr(
                    "training.encoder.loop.keep_records", lambda run, _: setattr(run.interrupt, "asked", True)
                )
            train(config(tmp_path / "run", None, **fields), generator)
        return "drawing 16 samples" in caplog.text

    def kept() -> list[Path]:
        return list((tmp_path / "run").glob("*own-samples-*"))

    assert drew(stopped=True)
    (file,) = kept()
    assert 16 * 3 * generator.img_resolution**2 < file.stat().st_size < 200_000
    assert not drew(stopped=True), "it goes on at once"
    file.write_bytes(file.read_bytes()[:1000])
    assert drew(), "half a file is none"
    assert "cannot be read, and is drawn again" in caplog.text
    train(config(tmp_path / "whole"), generator)
    states = [torch.load(tmp_path / run / "state.pt", weights_only=True) for run in ("run", "whole")]
    assert_same(*states)
    assert drew(total_images=72, seed=1), "others are asked for"
    assert file not in kept()
    assert len(kept()) == 1


def test_a_full_disk_keeps_no_samples_and_stops_no_run(
    generator: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.encoder.kept_samples.save_file", full)
    train(config(tmp_path), generator)
    assert "the samples are not kept" in caplog.text
    assert list(tmp_path.glob("*own-samples-*")) == []
    assert list_snapshots(tmp_path, "encoder")


def test_photos_that_do_not_fit_teach_the_same(generator: Any, blots: Path, tmp_path: Path) -> None:
    states = []
    for share in (1.0, 0.0):
        out = tmp_path / f"run{share}"
        train(config(out, blots, samples_every_images=16, data_memory_share=share), generator)
        states.append(torch.load(out / "state.pt", weights_only=True))
        assert len(list(out.glob("pictures-*.npy"))) == (share == 0)
    assert_same(*states)


def test_ctrl_c_saves_and_the_run_goes_on(generator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        # What Ctrl-C sets (tests/training/test_troubles.py presses it).
        patch.setattr("training.encoder.loop.keep_records", lambda run, _: setattr(run.interrupt, "asked", True))
        with pytest.raises(KeyboardInterrupt):
            train(config(out), generator)
    batch = config(out).batch
    assert torch.load(out / "state.pt", weights_only=True)["images_seen"] == batch
    train(config(out), generator)
    assert list_snapshots(out, "encoder")


def test_a_large_picture_is_looked_at_small() -> None:
    encoder = EncoderNetwork(256, 3, 8, width=4, widest=8, hidden=8).eval()
    assert encoder.side == 64
    assert encoder(torch.zeros(1, 3, 256, 256)).shape == (1, 3, 8)
    assert [f.shape[-1] for f in encoder.features(torch.zeros(1, 3, 256, 256))] == [32, 16, 8]


def test_an_encoder_starts_from_that_of_an_earlier_snapshot(generator: Any, tmp_path: Path) -> None:
    train(config(tmp_path / "first"), generator)
    later, _, _ = tiny_network("stylegan2")
    with torch.no_grad():
        for tensor in later.parameters():
            tensor.mul_(1.01)
    later = later.eval().requires_grad_(False)
    begun = config(tmp_path / "second", model="1f1e2d3c4b5a6979", init_from=tmp_path / "first")
    own = draw_samples(later, begun.samples, begun.seed)
    cpu = torch.device("cpu")
    state = fresh_state(later, begun, cpu)
    begin_with(tmp_path / "first", state)
    tell_latents(state.encoder, own)
    first = open_snapshot(list_snapshots(tmp_path / "first", "encoder")[-1]).tensors()
    found = state.encoder.state_dict()
    assert torch.equal(found["w_avg"], own.w_avg), "where the latents lie is the new generator's"
    assert not torch.equal(found["w_avg"], first["w_avg"])
    assert all(torch.equal(found[name], first[name]) for name in first if name not in ("w_avg", "w_std"))
    train(begun, later)
    assert list_snapshots(tmp_path / "second", "encoder")
    with pytest.raises(RunRefused, match="of another shape"):
        begin_with(tmp_path / "first", fresh_state(generator, config(tmp_path, width=12), cpu))
    with pytest.raises(RunRefused, match="holds no state of an encoder to start from"):
        begin_with(tmp_path / "nowhere", state)


def test_an_encoder_goes_along_when_its_generator_grows(tmp_path: Path) -> None:
    small, large = (SimpleNamespace(img_resolution=side, num_ws=ws, w_dim=24) for side, ws in ((64, 10), (128, 12)))
    cpu = torch.device("cpu")
    old, new = (fresh_state(network, config(tmp_path), cpu) for network in (small, large))
    torch.nn.init.normal_(old.encoder.apart.weight)
    old.save(tmp_path)
    begin_with(tmp_path, new)
    picture = torch.rand(2, 3, 128, 128) * 2 - 1
    before, after = old.encoder.eval()(halved(picture)), new.encoder.eval()(picture)
    torch.testing.assert_close(after[:, :10], before)
    assert not torch.equal(after[:, 10], after[:, 9])
    torch.testing.assert_close(after[:, 10], after[:, 11])
