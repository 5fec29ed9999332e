"""StyleGAN: both layouts of upsampling, truncation, noise, growing, and what its tensors tell."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.equalised import Convolving, doubling_kernel
from models.networks.stylegan1 import Generator, kwargs_from_tensors, seeded_noise


def small(**changes: Any) -> Generator:
    """z and w of different widths, an odd number of channels, a noise that shows."""
    kwargs: dict[str, Any] = {
        "z_dim": 12,
        "w_dim": 10,
        "img_resolution": 16,
        "channels": [9, 8, 5],
        "mapping_layers": 3,
        "mapping_features": 11,
        "truncation_cutoff": 4,
    }
    torch.manual_seed(0)
    generator = Generator(**{**kwargs, **changes}).eval().requires_grad_(False)
    for name, parameter in generator.named_parameters():
        if name.endswith(("bias", "apply_noise.weight", "first_layer")):
            parameter.copy_(0.3 * torch.randn_like(parameter))
    generator.w_avg.copy_(torch.randn(generator.w_dim))
    return generator


VARIANTS: list[dict[str, Any]] = [
    {},
    {"z_dim": 10, "mapping_layers": 1, "mapping_features": 10, "img_channels": 1},
    {"fused_scale": True},
    {"img_resolution": 4, "channels": [7], "fused_scale": "auto", "truncation_psi": 0.5, "truncation_cutoff": 1},
    {"img_resolution": 256, "channels": [6, 6, 6, 5, 4, 3, 2]},
    {"img_resolution": 256, "channels": [6, 6, 6, 5, 4, 3, 2], "fused_scale": False},
]


@pytest.mark.parametrize("changes", VARIANTS)
def test_arguments_are_told_by_the_tensors(changes: dict[str, Any]) -> None:
    generator = small(**changes)
    tensors = generator.state_dict()
    kwargs = kwargs_from_tensors(tensors)
    assert kwargs.items() >= changes.items()
    again = Generator(**kwargs).eval()
    again.load_state_dict(tensors)
    z = torch.randn(2, generator.z_dim)
    torch.testing.assert_close(again(z, truncation_psi=None), generator(z, truncation_psi=None), atol=0, rtol=0)


def test_the_default_is_of_the_published_size() -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in Generator().parameters()) == 26_219_627


def test_auto_fuses_from_128_up() -> None:
    names = small(img_resolution=128, channels=[4] * 6).state_dict()
    assert names["synthesis.layer10.weight"].shape == (3, 3, 4, 4)
    assert names["synthesis.layer8.conv.weight"].shape == (4, 4, 3, 3)
    assert "synthesis.layer10.conv.weight" not in names


def test_both_layouts_draw_one_picture_when_the_kernel_is_flipped() -> None:
    fused, unfused = small(fused_scale=True), small(fused_scale=False)
    tensors = fused.state_dict()
    for layer in ("synthesis.layer2", "synthesis.layer4"):
        weight_KKIO = tensors.pop(f"{layer}.weight")
        tensors[f"{layer}.conv.weight"] = weight_KKIO.permute(3, 2, 0, 1).flip(2, 3)
    unfused.load_state_dict(tensors)
    z = torch.randn(2, 12)
    torch.testing.assert_close(fused(z), unfused(z), atol=1e-5, rtol=1e-5)


def test_unfused_upsampling_is_doubling_then_convolution() -> None:
    layer, x = Convolving(5, 3, up=True).requires_grad_(False), torch.randn(2, 5, 7, 6)
    plain = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), layer.conv.weight, padding=1)
    torch.testing.assert_close(layer.convolve(x), plain * (2 / 45) ** 0.5, atol=1e-5, rtol=1e-5)


def test_a_fused_kernel_is_the_published_sum_of_four_shifts() -> None:
    kernel_33 = torch.arange(9.0).reshape(3, 3)
    # Each of the 3x3 numbers lands on the 2x2 places that start at its own.
    expected = sum(F.pad(kernel_33, (j, 1 - j, i, 1 - i)) for i in (0, 1) for j in (0, 1))
    torch.testing.assert_close(doubling_kernel(kernel_33[None, None])[0, 0], expected)
    layer, x = Convolving(1, 1, up=True, fused=True).requires_grad_(False), torch.randn(1, 1, 4, 4)
    layer.weight.zero_()[0, 0] = 1 / layer.gain
    doubled = F.interpolate(x, scale_factor=2.0, mode="nearest")
    torch.testing.assert_close(layer.convolve(x)[:, :, :-1, :-1], doubled[:, :, 1:, 1:])


def test_truncation() -> None:
    generator, z = small(), torch.randn(2, 12)
    whole, mean = generator.mapping(z), generator.w_avg
    published = generator.truncation(whole)
    torch.testing.assert_close(published[:, :4], mean + 0.7 * (whole[:, :4] - mean))
    torch.testing.assert_close(published[:, 4:], whole[:, 4:])
    torch.testing.assert_close(generator(z, truncation_psi=None), generator.synthesis(published))
    torch.testing.assert_close(generator(z, None, 0.7, 4), generator.synthesis(published))
    torch.testing.assert_close(generator(z), generator.synthesis(whole))
    torch.testing.assert_close(generator(z, None, 0)[:1], generator(z, None, 0)[1:])


def test_the_mean_w_follows_the_mapping() -> None:
    generator = small()
    before, ws = generator.w_avg.clone(), generator.mapping(torch.randn(8, 12))
    generator.truncation.update(ws, beta=0.9)
    torch.testing.assert_close(generator.w_avg, 0.9 * before + 0.1 * ws[:, 0].mean(dim=0))


def test_noise_modes() -> None:
    generator, z = small(), torch.randn(2, 12)
    const, none = generator(z, noise_mode="const"), generator(z, noise_mode="none")
    torch.testing.assert_close(generator(z), const, atol=0, rtol=0)
    torch.testing.assert_close(generator(z, noise_gain=0.0), none)
    gain = torch.tensor([1.0, 0.0])[:, None, None, None]
    torch.testing.assert_close(generator(z, noise_gain=gain), torch.stack([const[0], none[1]]))
    assert (const - none).abs().max() > 1e-2
    assert (generator(z, noise_mode="random") - generator(z, noise_mode="random")).abs().max() > 1e-2
    with pytest.raises(ValueError, match="const, none, random"):
        generator(z, noise_mode="loud")


def test_seeded_noise_is_the_same_alone_and_in_company() -> None:
    generator, z = small(), torch.randn(2, 12)
    together, alone = seeded_noise(generator.synthesis, [3, 85]), seeded_noise(generator.synthesis, [85])
    assert [noise.shape[2] for noise in alone] == [4, 4, 8, 8, 16, 16]
    both = generator(z, noise=together)
    torch.testing.assert_close(both[1:], generator(z[1:], noise=alone), atol=1e-5, rtol=1e-5)
    assert (both - generator(z)).abs().max() > 1e-2


def test_growing() -> None:
    generator = small()
    ws = generator.mapping(torch.randn(2, 12))
    pictures = {lod: generator.synthesis(ws, lod=lod) for lod in (0.0, 0.25, 1.0, 1.5, 2.0)}
    assert [picture.shape[2] for picture in pictures.values()] == [16, 16, 8, 8, 4]
    torch.testing.assert_close(pictures[0.25], mixture(pictures[0.0], pictures[1.0], 0.25))
    torch.testing.assert_close(pictures[1.5], mixture(pictures[1.0], pictures[2.0], 0.5))
    torch.testing.assert_close(pictures[0.0], generator.synthesis(ws), atol=0, rtol=0)
    with pytest.raises(ValueError, match=r"from 0 .* to 2"):
        generator.synthesis(ws, lod=2.5)


def mixture(finer: Tensor, coarser: Tensor, share: float) -> Tensor:
    doubled = coarser.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return (1 - share) * finer + share * doubled


def broken(name: str, tensor: Tensor | None) -> dict[str, Tensor]:
    tensors = dict(small().state_dict())
    tensors.pop(name, None)
    return tensors if tensor is None else {**tensors, name: tensor}


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"weight": torch.zeros(3)}, r"not a StyleGAN generator: mapping\.dense0\.linear\.weight is missing"),
        (broken("synthesis.layer3.epilogue.bias", None), "3 layers, not two for each"),
        (broken("synthesis.layer2.blur.kernel", None), r"synthesis\.layer2\.blur\.kernel is missing"),
        (broken("g_optim", torch.zeros(1)), "g_optim is left over"),
        (broken("synthesis.output1.bias", torch.zeros(4)), r"output1\.bias has the shape \[4\]"),
        (broken("mapping.dense0.linear.weight", torch.zeros(11)), r"has the shape \[11\], not 2 dimensions"),
        (broken("synthesis.lod", torch.tensor(1.5)), r"still growing .* is 1\.5"),
    ],
)
def test_other_tensors_are_refused(tensors: dict[str, Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kwargs_from_tensors(tensors)


def test_mixed_layouts_are_refused() -> None:
    tensors = small(img_resolution=32, channels=[4] * 4, fused_scale=True).state_dict()
    tensors["synthesis.layer2.conv.weight"] = tensors.pop("synthesis.layer2.weight")
    with pytest.raises(ValueError, match=r"fused at \[16, 32\]"):
        kwargs_from_tensors(tensors)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"img_resolution": 48}, "power of two"),
        ({"channels": [8, 8]}, "needs 3"),
        ({"fused_scale": "some"}, "true, false and 'auto'"),
    ],
)
def test_arguments_are_checked(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        small(**changes)
