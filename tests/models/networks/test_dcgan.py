"""DCGAN: the layout of PyTorch's example, other resolutions, labels, and what its tensors tell."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models.networks.dcgan import Discriminator, Generator, kwargs_from_tensors


def small(**changes: Any) -> Generator:
    kwargs: dict[str, Any] = {"z_dim": 10, "img_resolution": 16, "channels": [9, 5]}
    torch.manual_seed(0)
    generator = Generator(**{**kwargs, **changes}).requires_grad_(False)
    for _ in range(3):
        generator(torch.randn(8, generator.z_dim), first_labels(generator, 8))  # running statistics
    return generator.eval()


def first_labels(generator: Generator, batch: int) -> Tensor | None:
    """The labels 0, 1, ... in turn."""
    if generator.c_dim == 0:
        return None
    return torch.eye(generator.c_dim)[torch.arange(batch) % generator.c_dim]


def test_the_default_has_the_shapes_of_the_example() -> None:
    shapes = {name: list(tensor.shape) for name, tensor in Generator().state_dict().items()}
    weights = {name: shape for name, shape in shapes.items() if len(shape) == 4}
    assert weights == {
        "main.0.weight": [100, 512, 4, 4],
        "main.3.weight": [512, 256, 4, 4],
        "main.6.weight": [256, 128, 4, 4],
        "main.9.weight": [128, 64, 4, 4],
        "main.12.weight": [64, 3, 4, 4],
    }
    statistics = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    assert shapes.keys() - weights.keys() == {f"main.{i}.{name}" for i in (1, 4, 7, 10) for name in statistics}
    names = [name for name, tensor in Discriminator().state_dict().items() if tensor.dim() == 4]
    assert names == ["main.0.weight", "main.2.weight", "main.5.weight", "main.8.weight", "main.11.weight"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"img_resolution": 32, "channels": [7, 6, 3], "img_channels": 1},
        {"img_resolution": 128, "channels": [7, 6, 5, 4, 3]},
        {"c_dim": 4},
        {"c_dim": 4, "embed_features": 6},
    ],
)
def test_arguments_are_told_by_the_tensors(changes: dict[str, Any]) -> None:
    generator = small(**changes)
    tensors = generator.state_dict()
    kwargs = kwargs_from_tensors(tensors)
    assert kwargs.items() >= changes.items()
    again = Generator(**kwargs).eval()
    again.load_state_dict(tensors)
    z, c = torch.randn(2, generator.z_dim), first_labels(generator, 2)
    picture = generator(z, c)
    assert picture.shape == (2, generator.img_channels, generator.img_resolution, generator.img_resolution)
    assert picture.abs().max() <= 1
    torch.testing.assert_close(again(z, c), picture, atol=0, rtol=0)


def test_files_from_before_torch_0_4_lack_a_counter() -> None:
    generator = small()
    old = {name: tensor for name, tensor in generator.state_dict().items() if "num_batches" not in name}
    again = Generator(**kwargs_from_tensors(old)).eval()
    again.load_state_dict(old)
    z = torch.randn(1, 10)
    torch.testing.assert_close(again(z), generator(z), atol=0, rtol=0)


def test_a_face_is_the_same_alone_and_in_company() -> None:
    generator, z = small(), torch.randn(4, 10)
    torch.testing.assert_close(generator(z)[:1], generator(z[:1]))
    generator.train()
    assert (generator(z)[:1] - generator(torch.cat([z[:1], 3 * z[1:]]))[:1]).abs().max() > 1e-4


def test_each_stage_is_the_plain_equation() -> None:
    generator, z = small(), torch.randn(2, 10)
    tensors = generator.state_dict()
    x = torch.einsum("bz,zohw->bohw", z, tensors["main.0.weight"])
    for i in (1, 4):
        weight, bias, mean, var = (
            tensors[f"main.{i}.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")
        )
        x = ((x - mean) / (var + 1e-5).sqrt() * weight + bias).clamp(min=0)
        x = scatter(x, tensors[f"main.{i + 2}.weight"])
    torch.testing.assert_close(generator(z), x.tanh(), atol=1e-5, rtol=1e-4)


def scatter(x_BIHW: Tensor, weight_IO44: Tensor) -> Tensor:
    """A transposed convolution of stride 2, padding 1: every pixel paints its 4x4 patch, and a border is cut off."""
    batch, _, height, width = x_BIHW.shape
    y = torch.zeros(batch, weight_IO44.shape[1], 2 * height + 2, 2 * width + 2)
    for i in range(height):
        for j in range(width):
            patch = torch.einsum("bi,iohw->bohw", x_BIHW[:, :, i, j], weight_IO44)
            y[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += patch
    return y[:, :, 1:-1, 1:-1]


def test_labels() -> None:
    generator, z = small(c_dim=3), torch.randn(1, 10)
    first, second = (generator(z, label) for label in torch.eye(3)[:2].split(1))
    assert (first - second).abs().max() > 1e-4
    ws = generator.mapping(z, torch.eye(3)[:1])
    assert ws.shape == (1, generator.num_ws, generator.w_dim)
    torch.testing.assert_close(ws[:, 0, :10], z)
    torch.testing.assert_close(generator.synthesis(ws, noise_mode="const", noise_gain=1.0), first)
    with pytest.raises(AssertionError, match="give labels"):
        generator(z)


def test_truncation_shrinks_z() -> None:
    generator, z = small(), torch.randn(2, 10)
    torch.testing.assert_close(generator(z, truncation_psi=0.5), generator(0.5 * z))


@pytest.mark.parametrize("resolution", [16, 32, 64, 128])
@pytest.mark.parametrize("c_dim", [0, 2])
def test_the_discriminator_judges_each_resolution(resolution: int, c_dim: int) -> None:
    channels = list(range(9, 9 - resolution.bit_length() + 3, -1))
    discriminator = Discriminator(c_dim, resolution, channels=channels)
    picture = torch.randn(4, 3, resolution, resolution)
    logits = discriminator(picture, torch.eye(2).repeat(2, 1) if c_dim else None)
    assert logits.shape == (4, 1)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


def broken(name: str, tensor: Tensor | None, **changes: Any) -> dict[str, Tensor]:
    tensors = dict(small(**changes).state_dict())
    tensors.pop(name, None)
    return tensors if tensor is None else {**tensors, name: tensor}


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"layer0": torch.zeros(1)}, r"not a DCGAN generator: main\.0\.weight is missing"),
        (broken("main.4.running_mean", None), "hold 1 layers with batch normalisation"),
        (broken("main.3.weight", None), r"main\.3\.weight is missing"),
        (broken("main.3.bias", torch.zeros(5)), r"main\.3\.bias is left over"),
        (broken("main.3.weight", torch.zeros(9, 6, 4, 4)), r"has the shape \[9, 6, 4, 4\]"),
        (broken("mapping.embed.weight", torch.zeros(13, 3), c_dim=3), "leaves no room for z"),
        (Discriminator(img_resolution=16, channels=[9, 5]).state_dict(), "layers with batch normalisation"),
    ],
)
def test_other_tensors_are_refused(tensors: dict[str, Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kwargs_from_tensors(tensors)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"img_resolution": 48}, "draws 16, 32, 64, 128"), ({"channels": [8]}, "needs 2")],
)
def test_arguments_are_checked(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Generator(**{"img_resolution": 16, **changes})
