"""StyleGAN2 in rosinality's layout, under the official names, and from a training of our own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.checkpoints.recognise import Request, recognise
from models.checkpoints.stylegan2_names import channel_rule, kwargs_from_tensors
from models.networks.architectures import build
from models.networks.stylegan2 import Generator

VECTORS = Path(__file__).parents[3].parent / "shared" / "vectors"
CASE = "stylegan2_rosinality_32"
SYNTHESIS = {"channel_base": 256, "channel_max": 16}


def vectors(file: str) -> dict[str, Tensor]:
    if not (VECTORS / CASE).is_dir():
        pytest.skip("the reference vectors of ../shared are not here")
    return load_file(VECTORS / CASE / f"{file}.safetensors")


def generator(**synthesis: Any) -> Generator:
    return Generator(8, 0, 8, 16, 3, mapping_kwargs={"num_layers": 2}, synthesis_kwargs={**SYNTHESIS, **synthesis})


@torch.no_grad()
def test_rosinality_draws_the_published_pictures() -> None:
    tensors = vectors("expected")
    checkpoint = recognise({"g_ema": vectors("weights"), "latent_avg": tensors["latent_avg"][0]}, Request())
    assert checkpoint.notes == ()
    built: Any = build(checkpoint.family, checkpoint.kwargs, checkpoint.tensors)
    for psi, name in ((1.0, "img_psi1"), (0.6, "img_psi06")):
        picture = built(tensors["z"], truncation_psi=psi, noise_mode="const")
        assert (picture - tensors[name]).abs().max() <= 1e-4


def test_rosinality_without_latent_avg_averages_mapped_latents() -> None:
    tensors = vectors("weights")
    checkpoint = recognise({"g_ema": tensors, "args": {"size": 32}}, Request())
    assert any("10,000 latents" in note for note in checkpoint.notes)
    built: Any = build(checkpoint.family, checkpoint.kwargs, checkpoint.tensors)
    with torch.no_grad():
        mean = built.mapping(torch.randn(10_000, 48))[:, 0].mean(dim=0)
    spread = built.mapping(torch.randn(1000, 48))[:, 0].std(dim=0).mean()
    assert (built.mapping.w_avg - mean).abs().mean() < 0.05 * spread
    again = recognise({"g_ema": tensors}, Request())
    assert torch.equal(again.tensors["mapping.w_avg"], checkpoint.tensors["mapping.w_avg"]), "always the same mean"


def test_rosinality_average_is_preferred_and_an_encoder_left_out() -> None:
    tensors = vectors("weights")
    zeros = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
    both = recognise({"g": zeros, "g_ema": tensors, "latent_avg": torch.ones(48)}, Request())
    assert torch.equal(both.tensors["mapping.fc0.weight"], tensors["style.1.weight"])
    assert "Of the generators in the file, 'g_ema' was taken." in both.notes
    psp = {f"decoder.{name}": tensor for name, tensor in tensors.items()} | {
        "encoder.input_layer.0.weight": zeros["style.1.bias"]
    }
    inside = recognise({"state_dict": psp, "latent_avg": torch.ones(8, 48), "opts": {"lr": 0.1}}, Request())
    assert torch.equal(inside.tensors["mapping.w_avg"], torch.ones(48))
    assert any("encoder was left out" in note for note in inside.notes)


def test_rosinality_without_noises_draws_them_alike() -> None:
    tensors = {name: value for name, value in vectors("weights").items() if "noises" not in name}
    first, second = (recognise({"g_ema": tensors, "latent_avg": torch.zeros(48)}, Request()) for _ in range(2))
    assert any("fixed noise" in note for note in first.notes)
    name = "synthesis.b32.conv1.noise_const"
    assert torch.equal(first.tensors[name], second.tensors[name])


@pytest.mark.parametrize(
    "kwargs",
    [
        {"architecture": "orig"},
        {"architecture": "resnet"},
        {"use_noise": False},
        {"resample_filter": [1, 2, 1]},
        {"channel_base": 100, "channel_max": 12},
        {"channel_base": 4096, "channel_max": 16},
    ],
    ids=str,
)
def test_stylegan2_by_names_alone(kwargs: dict[str, Any]) -> None:
    tensors = generator(**kwargs).state_dict()
    if "resample_filter" in kwargs:
        assert tensors["synthesis.b4.resample_filter"].shape == (3, 3)
    checkpoint = recognise(tensors, Request())
    found = checkpoint.kwargs["synthesis_kwargs"]
    for name in ("architecture", "use_noise"):
        assert found[name] == kwargs.get(name, found[name])
    z = torch.randn(2, 8)
    original = generator(**kwargs)
    original.load_state_dict(tensors)
    rebuilt: Any = build(checkpoint.family, checkpoint.kwargs, checkpoint.tensors)
    with torch.no_grad():
        assert torch.allclose(rebuilt(z, noise_mode="const"), original.eval()(z, noise_mode="const"), atol=1e-5)


def test_channels_that_no_rule_gives() -> None:
    assert channel_rule({4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256}) == (32768, 512)
    with pytest.raises(ValueError, match="no channel_base gives 16 at 4, 4 at 8, 8 at 16"):
        channel_rule({4: 16, 8: 4, 16: 8})


def test_a_description_beside_the_file_wins() -> None:
    tensors = generator(conv_clamp=3).state_dict()
    kwargs = kwargs_from_tensors(tensors, conv_clamp=3)
    checkpoint = recognise(tensors, Request(described={"family": "stylegan2", "kwargs": kwargs}))
    assert checkpoint.kwargs["synthesis_kwargs"]["conv_clamp"] == 3
    assert recognise(tensors, Request()).kwargs["synthesis_kwargs"]["conv_clamp"] == 256


def test_the_state_of_a_training_gives_its_average() -> None:
    average = generator().state_dict()
    last = {name: torch.zeros_like(tensor) for name, tensor in average.items()}
    adam = {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1}]}
    state = {"version": 2, "generator": last, "discriminator": {"b4.out.weight": torch.zeros(1)}, "average": average}
    checkpoint = recognise({**state, "generator_optimiser": adam, "random": {"cpu": torch.zeros(3)}}, Request())
    assert torch.equal(checkpoint.tensors["synthesis.b4.const"], average["synthesis.b4.const"])
