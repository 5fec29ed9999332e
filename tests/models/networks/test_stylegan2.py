"""StyleGAN2 against its equations written plainly (test_published_vectors.py has the published outputs)."""
# B batch, D width of w, I O channels

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.stylegan2 import Generator, seeded_noise
from models.networks.stylegan2_block import SynthesisLayer


def small(**changes: Any) -> Generator:
    kwargs: dict[str, Any] = {
        "z_dim": 16,
        "c_dim": 0,
        "w_dim": 16,
        "img_resolution": 16,
        "img_channels": 3,
        "mapping_kwargs": {"num_layers": 2},
        "synthesis_kwargs": {"channel_base": 128, "channel_max": 16, "conv_clamp": 256},
    }
    torch.manual_seed(0)
    generator = Generator(**{**kwargs, **changes}).eval().requires_grad_(False)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.5)
    return generator


@pytest.mark.parametrize("up", [1, 2])
def test_constant_weights_equal_weights_per_sample(up: int) -> None:
    torch.manual_seed(1)
    layer = SynthesisLayer(6, 5, 8, resolution=8, up=up).requires_grad_(False)
    layer.noise_strength.fill_(0.3)
    layer.bias.copy_(torch.randn(5))
    x, w = torch.randn(3, 6, 8 // up, 8 // up), torch.randn(3, 8)
    torch.testing.assert_close(layer(x, w, noise_mode="const"), plain_layer(layer, x, w), atol=1e-5, rtol=1e-5)


def plain_layer(layer: SynthesisLayer, x_BIHW: Tensor, w_BD: Tensor) -> Tensor:
    """Karras et al. 2020, Eqs. 1 and 3, one sample at a time, resampling with explicit zeros."""
    outputs = []
    for x, w in zip(x_BIHW, w_BD, strict=True):
        style = w @ (layer.affine.weight / w.shape[0] ** 0.5).T + layer.affine.bias
        weight = layer.weight * style[None, :, None, None]
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if layer.up == 2:
            spread = torch.zeros(x.shape[0], 2 * x.shape[1], 2 * x.shape[2])
            spread[:, ::2, ::2] = x
            # Transposed convolution correlates with the flipped kernel; the filter follows, with gain 4.
            wide = F.conv2d(F.pad(spread[None], (2, 2, 2, 2)), weight.flip(2, 3))[:, :, :-1, :-1]
            taps = layer.resample_filter * 4
            y = F.conv2d(F.pad(wide, (1, 1, 1, 1)), taps.expand(wide.shape[1], 1, 4, 4), groups=wide.shape[1])[0]
        else:
            y = F.conv2d(x[None], weight, padding=1)[0]
        y = y + layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
        outputs.append(F.leaky_relu(y, 0.2) * 2**0.5)
    return torch.stack(outputs)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_architectures_draw_pictures(architecture: str) -> None:
    widths = {"channel_base": 128, "channel_max": 16, "conv_clamp": None, "architecture": architecture}
    generator = small(synthesis_kwargs=widths)
    picture = generator(torch.randn(2, 16), noise_mode="const")
    assert picture.shape == (2, 3, 16, 16)
    assert picture.isfinite().all()
    names = set(generator.state_dict())
    assert ("synthesis.b8.torgb.weight" in names) == (architecture == "skip")
    assert ("synthesis.b8.skip.weight" in names) == (architecture == "resnet")


def test_flat_and_nested_arguments_are_one() -> None:
    nested = small()
    flat = small(synthesis_kwargs={}, channel_base=128, channel_max=16, conv_clamp=256, num_fp16_res=4)
    z = torch.randn(1, 16)
    torch.testing.assert_close(nested(z, noise_mode="none"), flat(z, noise_mode="none"), atol=0, rtol=0)


def test_truncation() -> None:
    generator = small()
    generator.mapping.w_avg.copy_(torch.randn(16))
    z = torch.randn(2, 16)
    whole, mean = generator.mapping(z), generator.mapping.w_avg
    half = generator.mapping(z, truncation_psi=0.5, truncation_cutoff=2)
    torch.testing.assert_close(half[:, :2], mean + 0.5 * (whole[:, :2] - mean))
    torch.testing.assert_close(half[:, 2:], whole[:, 2:])
    torch.testing.assert_close(generator.mapping(z, truncation_psi=0)[0, 0], mean)


def test_the_mean_w_follows_the_mapping() -> None:
    generator = small(mapping_kwargs={"num_layers": 2, "w_avg_beta": 0.9})
    ws = generator.mapping(torch.randn(8, 16), update_w_avg=True)
    torch.testing.assert_close(generator.mapping.w_avg, 0.1 * ws[:, 0].mean(dim=0))


def test_noise_modes() -> None:
    generator, z = small(), torch.randn(1, 16)
    const, again = generator(z, noise_mode="const"), generator(z, noise_mode="const")
    none, silent = generator(z, noise_mode="none"), generator(z, noise_mode="const", noise_gain=0.0)
    torch.testing.assert_close(const, again, atol=0, rtol=0)
    torch.testing.assert_close(none, silent, atol=0, rtol=0)
    assert (const - none).abs().max() > 1e-3
    assert (generator(z, noise_mode="random") - generator(z, noise_mode="random")).abs().max() > 1e-3
    with pytest.raises(ValueError, match="const, none, random"):
        generator(z, noise_mode="loud")


def test_seeded_noise_is_the_same_alone_and_in_company() -> None:
    generator = small()
    together, alone = seeded_noise(generator.synthesis, [3, 85]), seeded_noise(generator.synthesis, [85])
    assert [noise.shape[2] for noise in alone] == [4, 8, 8, 16, 16]
    for pair, single in zip(together, alone, strict=True):
        torch.testing.assert_close(pair[1:], single, atol=0, rtol=0)
    z = torch.randn(2, 16)
    both = generator(z, noise=together)
    torch.testing.assert_close(both[1:], generator(z[1:], noise=alone), atol=1e-5, rtol=1e-5)


def test_labels_change_the_face() -> None:
    generator, z = small(c_dim=2), torch.randn(1, 16)
    first, second = (generator(z, label, noise_mode="none") for label in torch.eye(2).split(1))
    assert (first - second).abs().max() > 1e-3


def test_bfloat16_stays_near() -> None:
    generator, z = small(), torch.randn(4, 16)
    exact = generator(z, noise_mode="const")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = generator(z, noise_mode="const")
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize("resolution", [0, 2, 48])
def test_a_resolution_must_be_a_power_of_two(resolution: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        small(img_resolution=resolution)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="skip, resnet, orig"):
        small(synthesis_kwargs={"architecture": "unet"})
