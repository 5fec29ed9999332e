"""Each generator leaves as two graphs whose batch is free, and onnxruntime draws what torch draws."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from models.networks import dcgan, pggan, stylegan1

LIMIT = 1e-4
BATCHES = (1, 3, 8)


class MappingGraph(nn.Module):
    """z (and labels) -> ws, truncated by a psi per sample and layer."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z_NZ: Tensor, psi_NL: Tensor, c_NY: Tensor | None = None) -> Tensor:
        ws_NLD = self.generator.mapping(z_NZ, c_NY)
        w_avg_D = self.generator.w_avg
        return w_avg_D + psi_NL[:, :, None] * (ws_NLD - w_avg_D)


class SynthesisGraph(nn.Module):
    """ws -> picture, its noise as strong as each sample wants."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.synthesis = generator.synthesis

    def forward(self, ws_NLD: Tensor, noise_strength_N: Tensor) -> Tensor:
        return self.synthesis(ws_NLD, noise_mode="const", noise_gain=noise_strength_N[:, None, None, None])


def stylegan1_unfused() -> nn.Module:
    return stylegan1.Generator(12, 10, 16, channels=[9, 8, 5], mapping_layers=2)


def stylegan1_fused() -> nn.Module:
    return stylegan1.Generator(12, 10, 128, channels=[16, 16, 16, 12, 9, 7], mapping_layers=2)


def progressive(**kwargs: Any) -> Callable[[], nn.Module]:
    return lambda: pggan.Generator(10, 16, channels=[9, 8, 5], **kwargs)


def conditional() -> nn.Module:
    return dcgan.Generator(10, 3, 32, channels=[9, 7, 5], embed_features=4)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "stylegan1": stylegan1_unfused,
    "stylegan1 fused": stylegan1_fused,
    "pggan": progressive(),
    "pggan fused": progressive(fused_scale=True),
    "dcgan": lambda: dcgan.Generator(10, img_resolution=16, channels=[9, 5]),
    "dcgan conditional": conditional,
}


def filled(make: Callable[[], nn.Module]) -> nn.Module:
    """The network with biases, noise strengths, means and statistics that show.

    StyleGAN's constant, too: instance norm would make rounding errors of the ones that it starts from.
    """
    torch.manual_seed(0)
    generator = make().eval().requires_grad_(False)
    for name, tensor in generator.state_dict().items():
        if name.endswith(("bias", "running_mean", "w_avg", "apply_noise.weight", "first_layer")):
            tensor.copy_(0.3 * torch.randn_like(tensor))
        elif name.endswith("running_var"):
            tensor.copy_(0.01 + 0.01 * torch.rand_like(tensor))
    return generator


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_draws_what_torch_draws_at_any_batch(name: str, tmp_path: Path) -> None:
    generator = filled(NETWORKS[name])
    mapping, synthesis = MappingGraph(generator), SynthesisGraph(generator)
    mapping_session = exported(mapping, mapping_inputs(generator, 2), tmp_path / "mapping.onnx")
    synthesis_session = exported(synthesis, synthesis_inputs(generator, 2), tmp_path / "synthesis.onnx")
    for batch in BATCHES:
        check(mapping_session, mapping, mapping_inputs(generator, batch))
        picture = check(synthesis_session, synthesis, synthesis_inputs(generator, batch))
        assert picture.shape == (batch, 3, generator.img_resolution, generator.img_resolution)
        assert picture.std() > 0.01, "a blank picture would agree with anything"


def mapping_inputs(generator: nn.Module, batch: int) -> tuple[Tensor, ...]:
    psi = torch.linspace(0.3, 1, batch)[:, None].expand(-1, generator.num_ws)
    inputs = (torch.randn(batch, generator.z_dim), psi)
    if generator.c_dim == 0:
        return inputs
    return (*inputs, torch.eye(generator.c_dim)[torch.arange(batch) % generator.c_dim])


def synthesis_inputs(generator: nn.Module, batch: int) -> tuple[Tensor, ...]:
    return torch.randn(batch, generator.num_ws, generator.w_dim), torch.linspace(0, 1, batch)


def exported(module: nn.Module, inputs: tuple[Tensor, ...], path: Path) -> onnxruntime.InferenceSession:
    batch = torch.export.Dim("batch", min=1, max=64)
    with quiet_exporter():
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            opset_version=20,
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            optimize=False,
            verbose=False,
        )
    assert program is not None
    program.save(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@contextmanager
def quiet_exporter() -> Iterator[None]:
    logging.disable(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def check(session: onnxruntime.InferenceSession, module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """What torch draws; onnxruntime must draw the same."""
    expected: Tensor = module(*inputs)
    feed = {value.name: tensor.numpy() for value, tensor in zip(session.get_inputs(), inputs, strict=True)}
    (found,) = session.run(None, feed)
    assert found.shape == expected.shape
    assert (torch.from_numpy(found) - expected).abs().max() <= LIMIT
    return expected
