from typing import Any

import pytest
import torch

from models.networks.stylegan2_discriminator import Discriminator, with_minibatch_std


def small(**changes: Any) -> Discriminator:
    kwargs: dict[str, Any] = {
        "c_dim": 0,
        "img_resolution": 16,
        "img_channels": 3,
        "channel_base": 128,
        "channel_max": 16,
    }
    torch.manual_seed(0)
    return Discriminator(**{**kwargs, **changes})


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_architectures_judge_pictures_and_learn(architecture: str) -> None:
    discriminator = small(architecture=architecture)
    pictures = torch.randn(4, 3, 16, 16, requires_grad=True)
    logits = discriminator(pictures)
    assert logits.shape == (4, 1)
    logits.sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().max() > 0
    # Biases of a sum have a gradient even at zero; a parameter that nothing reads would have none.
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


def test_official_tensor_names() -> None:
    expected = {"b4.conv.bias", "b4.conv.resample_filter", "b4.conv.weight", "b4.fc.bias", "b4.fc.weight"}
    expected |= {"b4.out.bias", "b4.out.weight"}
    for block, layers in {"b16": ("fromrgb", "conv0", "conv1"), "b8": ("conv0", "conv1")}.items():
        expected |= {f"{block}.{layer}.{name}" for layer in layers for name in ("weight", "bias", "resample_filter")}
        expected |= {f"{block}.resample_filter", f"{block}.skip.weight", f"{block}.skip.resample_filter"}
    assert set(small().state_dict()) == expected
    assert small().state_dict()["b4.conv.weight"].shape == (16, 17, 3, 3)


def test_labels_are_projected() -> None:
    discriminator = small(c_dim=3)
    pictures = torch.randn(2, 3, 16, 16)
    first, second = (discriminator(pictures, torch.eye(3)[[i, i]]) for i in (0, 1))
    assert first.shape == (2, 1)
    assert (first - second).abs().max() > 1e-4
    assert "mapping.embed.weight" in discriminator.state_dict()
    assert "mapping.w_avg" not in discriminator.state_dict()


def test_minibatch_std_is_the_deviation_over_the_group() -> None:
    alike = torch.randn(1, 4, 2, 2).expand(4, -1, -1, -1)
    torch.testing.assert_close(with_minibatch_std(alike, 4, 1)[:, 4], torch.full((4, 2, 2), 1e-4))
    x = torch.randn(8, 4, 2, 2)
    # Groups are interleaved: samples 0, 2, 4, 6 and 1, 3, 5, 7.
    expected = x[::2].std(dim=0, correction=0).mean()
    torch.testing.assert_close(with_minibatch_std(x, 4, 1)[0, 4, 0, 0], expected)


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="channels"):
        small(channels=3)
