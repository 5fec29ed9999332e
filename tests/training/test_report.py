"""Every metric on cases whose answer is known: identical, shifted, collapsed and copied sets."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.errors import EncoderRefused
from training.metrics.diversity import mean_ms_ssim, ms_ssim
from training.metrics.encoder import Encoder, FrozenEncoder
from training.metrics.inception import inception_figures
from training.metrics.kernel_distance import kernel_distance, squared_mmd
from training.metrics.manifold import manifold_figures
from training.metrics.nearest import closest_ratio, nearest, nearest_features
from training.metrics.path_length import STEP, path_length_ratio
from training.metrics.report import Sets, measure
from training.metrics.spectrum import difference, spectrum


def features(count: int, seed: int, shift: float = 0.0, dim: int = 8) -> Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def pictures(count: int, seed: int, side: int = 32) -> Tensor:
    coarse = torch.randint(0, 256, (count, 3, 6, 6), generator=torch.Generator().manual_seed(seed)).float()
    return nn.functional.interpolate(coarse, side, mode="bicubic").clamp(0, 255).to(torch.uint8)


def noisy(x: Tensor, strength: float = 40) -> Tensor:
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(9))
    return (x.float() + strength * noise).clamp(0, 255).to(torch.uint8)


def test_the_kernel_distance_by_hand() -> None:
    a, b = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [-1.0, 1.0]])
    # Kernels (x.y / 2 + 1)^3: within a 1, within b 1; across 1.5^3, 1.5^3, 0.5^3, 1.5^3.
    assert squared_mmd(a, b) == pytest.approx(1 + 1 - 2 * (3 * 1.5**3 + 0.5**3) / 4)


def test_the_kernel_distance_knows_same_from_shifted() -> None:
    real = features(400, seed=0)
    same, shifted = (
        kernel_distance(features(400, seed=1), real),
        kernel_distance(features(400, seed=2, shift=0.3), real),
    )
    assert abs(same.value) < 2 * same.floor
    assert shifted.value > 10 * shifted.floor
    assert same.floor == shifted.floor > 0
    collapsed = kernel_distance(features(3, seed=3).repeat(100, 1), real)
    assert collapsed.value > shifted.value


def test_precision_and_recall_tell_faults_apart() -> None:
    real = features(300, seed=0)
    same = manifold_figures(features(300, seed=1), real)
    assert min(same.values()) > 0.8
    assert manifold_figures(real, real) == {"precision": 1, "recall": 1, "density": pytest.approx(1.2), "coverage": 1}
    far = manifold_figures(features(300, seed=1, shift=9), real)
    assert max(far.values()) == 0
    # All within the real ones, but only a corner of them.
    corner = manifold_figures(real[:10].repeat(30, 1), real)
    assert corner["precision"] == 1
    assert corner["recall"] < 0.2
    assert corner["coverage"] < 0.3
    # Half of them good.
    half = manifold_figures(torch.cat([features(150, seed=1), features(150, seed=2, shift=9)]), real)
    assert half["precision"] == pytest.approx(same["precision"] / 2, abs=0.06)
    with pytest.raises(ValueError, match="too few"):
        manifold_figures(features(5, 0), features(5, 1))


def test_ms_ssim_is_1_for_equal_pictures_and_falls_with_noise() -> None:
    x = pictures(6, seed=0, side=64).float()
    torch.testing.assert_close(ms_ssim(x, x), torch.ones(6))
    slightly, much = ms_ssim(x, noisy(x, 10).float()).mean(), ms_ssim(x, noisy(x, 60).float()).mean()
    assert 1 > slightly > much > 0
    with pytest.raises(ValueError, match="too small"):
        ms_ssim(x[..., :8, :8], x[..., :8, :8])


def test_a_collapsed_set_is_less_diverse() -> None:
    varied = pictures(40, seed=0)
    collapsed = varied[:2].repeat(20, 1, 1, 1)
    assert mean_ms_ssim(collapsed, pairs=300) > mean_ms_ssim(varied, pairs=300) + 0.2
    assert mean_ms_ssim(varied[:1].repeat(5, 1, 1, 1), pairs=50) == pytest.approx(1)


def test_the_slope_of_known_spectra() -> None:
    random, side = torch.Generator().manual_seed(0), 64
    waves = torch.fft.fftfreq(side, 1 / side)
    radius = torch.hypot(waves[:, None], waves[None]).clamp_min(1)
    for slope in (-2.0, 0.0):
        white = torch.fft.fft2(torch.randn(64, side, side, generator=random))
        drawn = torch.fft.ifft2(white * radius ** (slope / 2)).real
        levels = (128 + 30 * drawn / drawn.std()).clamp(0, 255).round().to(torch.uint8)
        found = spectrum(levels[:, None].expand(-1, 3, -1, -1))
        assert found.slope == pytest.approx(slope, abs=0.15)
    smooth = pictures(20, seed=0, side=64)
    assert difference(spectrum(smooth), spectrum(smooth)) == 0
    assert difference(spectrum(smooth), spectrum(noisy(smooth))) > 3
    assert spectrum(noisy(smooth)).slope > spectrum(smooth).slope + 0.5


def test_copied_pictures_show_in_the_closest_ratio() -> None:
    train, test = pictures(60, seed=0), pictures(30, seed=1)
    strangers, held_out = nearest(pictures(100, seed=2), train), nearest(test, train)
    assert 0.7 < closest_ratio(strangers, held_out) < 1.4
    copies = torch.cat([pictures(97, seed=2), noisy(train[:3].flip(3), 5)])
    assert closest_ratio(nearest(copies, train), held_out) < 0.4
    a, b = features(5, seed=0), features(7, seed=1)
    found = nearest_features(torch.cat([a, b[2:3]]), a, b)
    assert found.distance.tolist() == [0] * 6
    assert found.mirrored.tolist() == [False] * 5 + [True]
    assert found.index[5] == 2


def test_a_straight_way_has_length_1_and_a_detour_more() -> None:
    start, end = features(50, seed=0), features(50, seed=1)
    here = start + 0.3 * (end - start)
    assert path_length_ratio(here, here + STEP * (end - start), start, end) == pytest.approx(1, rel=1e-3)
    assert path_length_ratio(here, here + 2 * STEP * (end - start), start, end) == pytest.approx(4, rel=1e-3)


def test_a_report_of_known_sets() -> None:
    torch.manual_seed(0)
    encoder = FrozenEncoder(Encoder().eval(), "untrained")
    train, test = pictures(80, seed=0), pictures(20, seed=1)
    steps: list[str] = []
    good = measure(Sets(pictures(40, seed=2), train, test), encoder, steps.append)
    assert len(steps) > 4
    assert good.verdicts().keys() == {"swd", "kid_self", "ms_ssim_ratio", "closest_ratio"}
    assert good.verdicts()["swd"]
    assert good.verdicts()["ms_ssim_ratio"]
    assert good.verdicts()["closest_ratio"]
    assert all(math.isfinite(value) for value in good.flat().values())
    shifted = measure(Sets(noisy(pictures(40, seed=2), 60), train, test), encoder)
    assert not shifted.verdicts()["swd"]
    assert shifted.figures["kid_self"] > 10 * abs(good.figures["kid_self"])
    assert shifted.figures["spectrum_db"] > 5 * shifted.floors["spectrum_db"]
    collapsed = measure(Sets(pictures(2, seed=2).repeat(20, 1, 1, 1), train, test), encoder)
    assert not collapsed.verdicts()["ms_ssim_ratio"]
    assert collapsed.figures["coverage"] < 0.5 * good.figures["coverage"]
    copied = measure(Sets(torch.cat([train[:5], pictures(35, seed=2)]), train, test), encoder)
    assert not copied.verdicts()["closest_ratio"]
    assert copied.figures["closest_ratio_features"] < 0.1
    alone = measure(Sets(pictures(40, seed=2), train), encoder)
    assert "closest_ratio" not in alone.figures
    assert alone.figures["swd"] == good.figures["swd"]
    with pytest.raises(ValueError, match="too few"):
        measure(Sets(train[:3], train), encoder)


class Means(nn.Module):
    """What stands where Inception would: the mean of each of 2,048 stripes of the picture."""

    def forward(self, x: Tensor, return_features: bool = True) -> Tensor:
        scaled = nn.functional.interpolate(x.float(), [64, 32])
        return scaled.mean(dim=1).flatten(1) if return_features else scaled


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_fid_and_kid_are_those_of_torchmetrics(tmp_path: Path) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    torch.jit.script(Means()).save(str(tmp_path / "network.pt"))  # type: ignore[no-untyped-call]
    real, drawn = pictures(24, seed=0), noisy(pictures(12, seed=1))
    figures = inception_figures(drawn, real, tmp_path / "network.pt")
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    network = Means()
    network.num_features = 2048  # type: ignore[assignment]
    theirs = FrechetInceptionDistance(feature=network)
    theirs.update(drawn, real=False)
    theirs.update(real[order[:12]], real=True)
    assert figures["fid"][0] == pytest.approx(float(theirs.compute()), rel=1e-3)
    assert figures["kid"][0] > figures["kid"][1]
    (tmp_path / "other.pt").write_bytes(b"no network")
    with pytest.raises(EncoderRefused, match="no TorchScript"):
        inception_figures(drawn, real, tmp_path / "other.pt")
