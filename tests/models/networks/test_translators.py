"""The image-to-image networks: any depth, told by their tensors, both evaluations, ONNX graphs of any size."""
# N batch, C channel, H W picture

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from models.networks import patchgan, translator, unet
from models.networks.patchgan import PatchDiscriminator, PixelDiscriminator
from models.networks.translator import ResnetTranslator
from models.networks.unet import UnetTranslator

TOLERANCE = 1e-4


@pytest.mark.parametrize(
    "kwargs",
    [
        {"n_blocks": 6, "upsample": "resize"},
        {"n_blocks": 1, "norm": "batch", "use_dropout": True},
        {"n_blocks": 2, "norm": "none", "use_dropout": True, "input_nc": 4, "output_nc": 1},
        {"n_blocks": 12, "use_dropout": True},
        {"n_blocks": 3, "norm": "batch"},
    ],
)
def test_a_resnet_is_told_by_its_tensors(kwargs: dict[str, Any]) -> None:
    network = ResnetTranslator(ngf=4, **kwargs)
    told = translator.kwargs_from_tensors(network.state_dict())
    plain = {"input_nc": 3, "output_nc": 3, "norm": "instance", "use_dropout": False, "upsample": "transpose"}
    assert told == {"ngf": 4, **plain, **kwargs}
    assert network(torch.zeros(1, network.input_nc, 16, 12)).shape == (1, network.output_nc, 16, 12)


@pytest.mark.parametrize("kwargs", [{"num_downs": 5, "norm": "instance"}, {"num_downs": 8, "input_nc": 1}])
def test_a_unet_is_told_by_its_tensors(kwargs: dict[str, Any]) -> None:
    network = UnetTranslator(ngf=2, **kwargs)
    told = unet.kwargs_from_tensors(network.state_dict())
    assert told == {"input_nc": 3, "output_nc": 3, "ngf": 2, "norm": "batch", "use_dropout": True, **kwargs}
    side = network.size_multiple
    assert network(torch.zeros(2, network.input_nc, side, 2 * side)).shape == (2, 3, side, 2 * side)


@pytest.mark.parametrize(("n_layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_a_patch_discriminator_sees_its_patch_and_no_more(n_layers: int, field: int) -> None:
    network = PatchDiscriminator(ndf=2, n_layers=n_layers, norm="none")
    assert network.receptive_field == field
    assert patchgan.kwargs_from_tensors(network.state_dict())["n_layers"] == n_layers
    x = torch.randn(1, 3, 2 * field, 2 * field, requires_grad=True)
    scores = network(x)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert x.grad is not None
    seen = x.grad.abs().sum(dim=(0, 1)).nonzero()
    assert (seen.amax(dim=0) - seen.amin(dim=0) + 1).tolist() == [field, field]


def test_a_pixel_discriminator_sees_a_pixel() -> None:
    network = PixelDiscriminator(ndf=4, norm="none")
    assert {name.split(".")[1] for name in network.state_dict()} == {"0", "2", "5"}
    x = torch.randn(1, 3, 6, 5)
    changed = x.clone()
    changed[0, :, 2, 3] += 1
    assert (network(changed) != network(x)).nonzero().tolist() == [[0, 0, 2, 3]]


def test_what_is_no_translator_is_refused_with_a_sentence() -> None:
    resnet, deep = ResnetTranslator(ngf=2, n_blocks=2).state_dict(), UnetTranslator(ngf=2).state_dict()
    gap = {name: tensor for name, tensor in resnet.items() if ".10." not in name}
    unpadded = {name.replace("conv_block.1.", "conv_block.0."): tensor for name, tensor in resnet.items()}
    for wrong, words in [(deep, "no ResNet"), (gap, r"blocks are \[11\]"), (unpadded, "padding")]:
        with pytest.raises(ValueError, match=words):
            translator.kwargs_from_tensors(wrong)
    with pytest.raises(ValueError, match=r"has no tensor 'model\.2\.running_mean'"):
        translator.kwargs_from_tensors({**resnet, "model.2.running_mean": torch.zeros(2)})
    with pytest.raises(ValueError, match="no U-Net"):
        unet.kwargs_from_tensors(resnet)
    with pytest.raises(ValueError, match="no PatchGAN"):
        patchgan.kwargs_from_tensors(deep)
    with pytest.raises(ValueError, match="18x16; both sides must be multiples of 4"):
        ResnetTranslator(ngf=2)(torch.zeros(1, 3, 16, 18))


def with_random_statistics(network: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    for name, tensor in network.state_dict().items():
        if tensor.dim() == 1:
            tensor.copy_(
                torch.rand_like(tensor) + 0.5 if "weight" in name or "var" in name else torch.randn_like(tensor)
            )
    return network.eval().requires_grad_(False)


def test_a_residual_network_that_draws_nothing_gives_its_input_back() -> None:
    network = ResnetTranslator(ngf=2, n_blocks=1, norm="none", input_nc=4, residual=True)
    last = network.model[-2]
    for parameter in last.parameters():
        nn.init.zeros_(parameter)
    x = torch.rand(1, 4, 16, 16)
    assert torch.equal(network(x), x[:, :3])
    with pytest.raises(ValueError, match="3 channels cannot be added to an input of 1"):
        ResnetTranslator(ngf=2, input_nc=1, residual=True)


@pytest.mark.parametrize("make", [lambda **k: UnetTranslator(ngf=4, num_downs=5, **k), ResnetTranslator])
def test_both_evaluations_are_deterministic_and_keep_samples_apart(make: Any) -> None:
    torch.manual_seed(0)
    running = with_random_statistics(make(norm="batch", use_dropout=True))
    own = make(norm="batch", use_dropout=True, evaluation="batch").eval().requires_grad_(False)
    own.load_state_dict(running.state_dict())
    x = torch.randn(3, 3, 64, 64)
    for network in (running, own):
        alone = torch.cat([network(sample) for sample in x.split(1)])
        torch.testing.assert_close(network(x), alone, atol=1e-4, rtol=0)
    assert (running(x) - own(x)).abs().max() > 0.01
    # What the published program does at test time: a batch of one in training mode, here without dropout.
    published = make(norm="batch", use_dropout=False)
    published.load_state_dict(dropout_free(running.state_dict(), published.state_dict()))
    torch.testing.assert_close(own(x[:1]), published(x[:1]), atol=1e-4, rtol=0)


def dropout_free(tensors: dict[str, Tensor], names: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under the names that they have without dropout: in the same order."""
    return dict(zip(names, tensors.values(), strict=True))


@pytest.mark.parametrize(
    ("network", "multiple"),
    [
        (ResnetTranslator(ngf=4, n_blocks=2), 4),
        (ResnetTranslator(ngf=4, n_blocks=2, upsample="resize"), 4),
        (UnetTranslator(ngf=4, num_downs=5), 32),
        (UnetTranslator(ngf=4, num_downs=5, evaluation="batch"), 32),
        (UnetTranslator(ngf=4, num_downs=6, norm="instance"), 64),
    ],
    ids=["transpose", "resize", "unet", "unet, own statistics", "unet, instance"],
)
def test_onnx_graphs_of_any_batch_and_size(network: nn.Module, multiple: int, tmp_path: Path) -> None:
    network = with_random_statistics(network)
    path = tmp_path / "translator.onnx"
    export(network, multiple, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch, height, width in [(1, 64, 64), (3, 64, 64), (1, 128, 192), (2, 192, 64)]:
        x = torch.randn(batch, 3, height, width)
        (picture,) = session.run(None, {"x": x.numpy()})
        assert np.abs(np.asarray(picture) - network(x).numpy()).max() <= TOLERANCE


def export(network: nn.Module, multiple: int, path: Path) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    height, width = torch.export.Dim("h", max=256), torch.export.Dim("w", max=256)
    free = {0: torch.export.Dim("batch", max=64), 2: multiple * height, 3: multiple * width}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (torch.zeros(2, 3, 4 * multiple, 8 * multiple),),
            dynamo=True,
            opset_version=20,
            input_names=["x"],
            dynamic_shapes=(free,),
            verbose=False,
        )
    assert program is not None
    program.save(path)
