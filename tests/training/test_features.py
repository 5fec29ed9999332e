"""The encoder of the metrics: what contrast asks for, how it is kept, that a killed run loses nothing."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.errors import EncoderRefused
from training.features import train_features
from training.features.config import FeaturesConfig
from training.features.loop import contrast
from training.features.views import view
from training.metrics.encoder import FEATURES, open_encoder


def config(data: Path, out: Path) -> FeaturesConfig:
    return FeaturesConfig(
        data=data, out=out, total_images=32, batch=8, device="cpu", log_every_images=16, state_every_images=16
    )


def test_contrast_is_least_where_only_partners_agree() -> None:
    pairs = torch.eye(8)
    # Each has its partner at likeness 1 / t and 14 strangers at 0.
    expected = math.log(1 + 14 * math.exp(-1 / 0.2))
    assert contrast(pairs, pairs, 0.2).item() == pytest.approx(expected, rel=1e-5)
    assert contrast(pairs, pairs.roll(1, 0), 0.2) > 2
    assert contrast(3 * pairs, pairs, 0.2).item() == pytest.approx(expected, rel=1e-5)


def test_a_view_shows_part_of_the_picture_in_other_colours() -> None:
    torch.manual_seed(0)
    x = torch.rand(4, 3, 64, 64) * 2 - 1
    seen = view(x, 0.5)
    assert seen.shape == x.shape
    assert not torch.allclose(seen, view(x, 0.5))
    grey = view(torch.zeros(64, 3, 64, 64), 0.5)
    assert torch.allclose(grey.amin(dim=(1, 2, 3)), grey.amax(dim=(1, 2, 3)), atol=1e-6), "a crop of grey is grey"
    assert grey.std() > 0.1, "of another brightness"


def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    blots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_features(config(blots, tmp_path / "whole"))
    seen: list[int] = []

    def killed_at_the_third(*arguments: Any) -> torch.Tensor:
        seen.append(len(arguments))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return contrast(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr("training.features.loop.contrast", killed_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            train_features(config(blots, tmp_path / "cut"))
    resumed = train_features(config(blots, tmp_path / "cut"))
    for name, tensor in load_file(whole).items():
        assert torch.equal(tensor, load_file(resumed)[name]), name


def test_what_is_kept_is_what_is_opened(blots: Path, tmp_path: Path) -> None:
    path = train_features(config(blots, tmp_path / "run"))
    assert path.stat().st_size < 1_500_000
    encoder = open_encoder(path)
    assert open_encoder(path).digest == encoder.digest
    pictures = torch.randint(0, 256, (5, 3, 96, 96), dtype=torch.uint8)
    done: list[int] = []
    features = encoder.embed(pictures, done.append)
    assert features.shape == (5, FEATURES)
    assert sum(done) == 5
    torch.testing.assert_close(encoder.embed(pictures[2:3])[0], features[2], atol=1e-4, rtol=1e-4)


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderRefused, match="personne train features"):
        open_encoder(tmp_path / "none.safetensors")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(EncoderRefused, match="holds no encoder"):
        open_encoder(tmp_path / "other.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(EncoderRefused, match="holds no encoder"):
        open_encoder(tmp_path / "noise.safetensors")
