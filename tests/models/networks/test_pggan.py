"""Progressive GAN: its layouts, its names, growing with its discriminator, and what its tensors tell."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.pggan import Generator, LatentLayer, kwargs_from_tensors
from models.networks.pggan_discriminator import Discriminator
from models.networks.progressive import real_at_lod


def small(**changes: Any) -> Generator:
    kwargs: dict[str, Any] = {"z_dim": 10, "img_resolution": 16, "channels": [9, 8, 5]}
    torch.manual_seed(0)
    generator = Generator(**{**kwargs, **changes}).eval().requires_grad_(False)
    for name, parameter in generator.named_parameters():
        if name.endswith("bias"):
            parameter.copy_(0.3 * torch.randn_like(parameter))
    return generator


def small_discriminator() -> Discriminator:
    torch.manual_seed(1)
    return Discriminator(16, channels=[9, 8, 5])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fused_scale": True, "img_channels": 1},
        {"img_resolution": 4, "channels": [7]},
        {"img_resolution": 128, "channels": [6, 6, 5, 4, 3, 2], "z_dim": 3, "fused_scale": True},
    ],
)
def test_arguments_are_told_by_the_tensors(changes: dict[str, Any]) -> None:
    generator = small(**changes)
    tensors = generator.state_dict()
    kwargs = kwargs_from_tensors(tensors)
    assert kwargs.items() >= changes.items()
    again = Generator(**kwargs).eval()
    again.load_state_dict(tensors)
    z = torch.randn(2, generator.z_dim)
    torch.testing.assert_close(again(z), generator(z), atol=0, rtol=0)


def test_the_defaults_are_of_the_published_size() -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in Generator().parameters()) == 23_079_115
        assert sum(parameter.numel() for parameter in Discriminator().parameters()) == 23_087_249


def test_both_layouts_draw_one_picture_when_the_kernel_is_flipped() -> None:
    fused, unfused = small(fused_scale=True), small()
    tensors = fused.state_dict()
    for layer in ("layer2", "layer4"):
        tensors[f"{layer}.conv.weight"] = tensors.pop(f"{layer}.weight").permute(3, 2, 0, 1).flip(2, 3)
    unfused.load_state_dict(tensors)
    z = torch.randn(2, 10)
    torch.testing.assert_close(fused(z), unfused(z), atol=1e-5, rtol=1e-5)


def test_the_first_layer_is_a_padded_convolution_of_one_pixel() -> None:
    layer, z = LatentLayer(6, 5).requires_grad_(False), torch.randn(2, 6)
    z = z / z.square().mean(dim=1, keepdim=True).sqrt()
    plain = F.conv2d(z[:, :, None, None], layer.conv.weight * (2 / (6 * 16)) ** 0.5, padding=3)
    torch.testing.assert_close(layer(z), F.leaky_relu(plain, 0.2), atol=1e-5, rtol=1e-5)


def test_names_are_the_published_ones_in_any_company() -> None:
    generator = small()
    names = list(generator.state_dict())
    assert "layer0.conv.weight" in names
    assert "lod" in names
    assert not [name for name in names if "synthesis" in name or "mapping" in name]
    inside = nn.ModuleDict({"g_ema": generator})
    assert list(inside.state_dict()) == [f"g_ema.{name}" for name in names]
    twin = copy.deepcopy(inside)
    for tensor in twin.state_dict().values():
        tensor.zero_()
    twin.load_state_dict(inside.state_dict())
    z = torch.randn(2, 10)
    torch.testing.assert_close(twin["g_ema"](z), generator(z), atol=0, rtol=0)
    with pytest.raises(RuntimeError, match=r"Unexpected .*stranger"):
        generator.load_state_dict({**generator.state_dict(), "stranger": torch.zeros(1)})


def test_z_is_one_style_layer_on_its_sphere() -> None:
    generator, z = small(), torch.randn(2, 10)
    ws = generator.mapping(z)
    assert ws.shape == (2, generator.num_ws, generator.w_dim)
    torch.testing.assert_close(ws.square().mean(dim=2), torch.ones(2, 1))
    torch.testing.assert_close(generator(3 * z), generator(z))
    torch.testing.assert_close(generator.synthesis(ws, noise_mode="const", noise_gain=1.0), generator(z))
    assert not generator.w_avg.any()
    mean = generator(z, truncation_psi=0)
    torch.testing.assert_close(mean[0], mean[1])


def test_growing() -> None:
    generator = small()
    ws = generator.mapping(torch.randn(2, 10))
    pictures = {lod: generator.synthesis(ws, lod=lod) for lod in (0.0, 0.25, 1.0, 2.0)}
    assert [picture.shape[2] for picture in pictures.values()] == [16, 16, 8, 4]
    coarser = pictures[1.0].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(pictures[0.25], 0.75 * pictures[0.0] + 0.25 * coarser)
    with pytest.raises(ValueError, match=r"from 0 .* to 2"):
        generator.synthesis(ws, lod=-0.5)


def test_real_pictures_follow_the_growth() -> None:
    real = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(real_at_lod(real, 0), real, atol=0, rtol=0)
    quarter = real.reshape(1, 3, 4, 4, 4, 4).mean(dim=(3, 5))
    torch.testing.assert_close(real_at_lod(real, 2), quarter)
    half = real_at_lod(real, 1)
    doubled = quarter.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(real_at_lod(real, 1.25), 0.75 * half + 0.25 * doubled)


@torch.no_grad()
def test_the_discriminator_fades_without_a_step() -> None:
    discriminator, real = small_discriminator(), torch.randn(4, 3, 16, 16)
    before = discriminator(real_at_lod(real, 0.999999), 0.999999)
    torch.testing.assert_close(before, discriminator(real_at_lod(real, 1), 1.0), atol=1e-4, rtol=1e-4)
    between, start = discriminator(real_at_lod(real, 0.5), 0.5), discriminator(real)
    assert (between - before).abs().max() > 1e-3
    assert (between - start).abs().max() > 1e-3
    with pytest.raises(ValueError, match="must be 8x8"):
        discriminator(real, 1.0)


@torch.no_grad()
def test_the_discriminator_sees_a_lack_of_variety() -> None:
    discriminator, real = small_discriminator(), torch.randn(4, 3, 16, 16)
    alone = discriminator(real[:1])
    # Alone, and among copies of itself, a picture's deviation is nothing; in varied company it is something.
    torch.testing.assert_close(discriminator(real[:1].expand(4, -1, -1, -1)), alone.expand(4, -1), atol=1e-4, rtol=1e-4)
    assert (discriminator(real)[:1] - alone).abs() > 1e-4


def test_a_gradient_penalty_reaches_every_weight() -> None:
    discriminator, real = small_discriminator(), torch.randn(4, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(real, 0.0).sum(), real, create_graph=True)
    (discriminator(real.detach()).mean() + (gradient.square().sum(dim=(1, 2, 3)).sqrt() - 1).square().mean()).backward()
    without = {name for name, parameter in discriminator.named_parameters() if parameter.grad is None}
    assert without == {f"fromrgb{i}.{name}" for i in (0, 1) for name in ("conv.weight", "wscale.bias")}


def broken(name: str, tensor: Tensor | None) -> dict[str, Tensor]:
    tensors = dict(small().state_dict())
    tensors.pop(name, None)
    return tensors if tensor is None else {**tensors, name: tensor}


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({}, r"not a Progressive GAN generator: layer0\.conv\.weight is missing"),
        (broken("layer5.wscale.bias", None), "5 layers, not two for each"),
        (broken("layer3.conv.weight", None), r"layer3\.conv\.weight is missing"),
        (broken("layer2.weight", torch.zeros(3, 3, 9, 8)), r"layer4\.weight is missing"),
        (broken("output1.conv.weight", torch.zeros(3, 7, 1, 1)), r"the others imply \[3, 8, 1, 1\]"),
        (broken("lod", torch.tensor(2.0)), "still growing"),
    ],
)
def test_other_tensors_are_refused(tensors: dict[str, Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kwargs_from_tensors(tensors)
