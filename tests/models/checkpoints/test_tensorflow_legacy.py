"""TensorFlow's pickles, written by us as its releases write them, become the PyTorch networks' tensors."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.checkpoints.containers import open_container
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.tensorflow_legacy import is_tensorflow, read_tensorflow
from models.networks import pggan, stylegan1, stylegan2
from tests.models.checkpoints.pickles import tf_network, write_pickle, write_tf_pickle
from tests.models.checkpoints.tensorflow_layout import pggan_variables, stylegan1_variables, stylegan2_variables

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
SMALL: dict[str, Any] = {"z_dim": 8, "w_dim": 8, "img_channels": 3}


def vector(name: str) -> dict[str, Tensor]:
    if not VECTORS.is_dir():
        pytest.skip("../shared/vectors is absent")
    return load_file(VECTORS / name / "weights.safetensors")


def read(path: Path) -> Any:
    opened = open_container(path)
    assert is_tensorflow(opened.content)
    return read_tensorflow(opened.content)


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(
            found[name], tensor, rtol=0, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )


def stylegan2_state(**kwargs: Any) -> dict[str, Tensor]:
    torch.manual_seed(2)
    network = stylegan2.Generator(c_dim=0, **SMALL, **kwargs)
    return {name: torch.randn_like(t) if "filter" not in name else t for name, t in network.state_dict().items()}


def test_the_published_stylegan2_comes_back(tmp_path: Path) -> None:
    tensors = vector("stylegan2_32")
    arguments = {"fmap_base": 512, "fmap_max": 64, "conv_clamp": 256, "resolution": 32}
    checkpoint = read(write_tf_pickle(tmp_path / "x.pkl", stylegan2_variables(tensors), arguments))
    assert checkpoint.family == "stylegan2"
    assert_same(checkpoint.tensors, tensors)
    network = stylegan2.Generator(**checkpoint.kwargs)
    network.load_state_dict(checkpoint.tensors)
    expected = load_file(VECTORS / "stylegan2_32" / "expected.safetensors")
    with torch.no_grad():
        torch.testing.assert_close(network.synthesis(expected["ws_0"], "const"), expected["img_0"], rtol=0, atol=1e-4)


def test_labels_come_back(tmp_path: Path) -> None:
    tensors = vector("stylegan2_conditional_16")
    checkpoint = read(write_tf_pickle(tmp_path / "x.pkl", stylegan2_variables(tensors), {"label_size": 4}))
    assert_same(checkpoint.tensors, tensors)
    assert checkpoint.kwargs["c_dim"] == 4
    assert checkpoint.kwargs["z_dim"] == 64
    assert checkpoint.kwargs["synthesis_kwargs"]["conv_clamp"] is None


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_every_architecture_of_stylegan2(architecture: str, tmp_path: Path) -> None:
    tensors = stylegan2_state(
        img_resolution=16, synthesis_kwargs={"channel_base": 128, "channel_max": 16, "architecture": architecture}
    )
    checkpoint = read(write_tf_pickle(tmp_path / "x.pkl", stylegan2_variables(tensors)))
    assert_same(checkpoint.tensors, tensors)
    assert checkpoint.kwargs["synthesis_kwargs"]["architecture"] == architecture


def test_arguments_that_leave_no_trace_in_tensors(tmp_path: Path) -> None:
    tensors = stylegan2_state(img_resolution=8, synthesis_kwargs={"channel_base": 64, "resample_filter": [1, 2, 1]})
    arguments = {"resample_kernel": [1, 2, 1], "mapping_lrmul": 0.02, "conv_clamp": 8}
    checkpoint = read(write_tf_pickle(tmp_path / "x.pkl", stylegan2_variables(tensors), arguments))
    assert_same(checkpoint.tensors, tensors)
    assert checkpoint.kwargs["mapping_kwargs"]["lr_multiplier"] == 0.02
    assert checkpoint.kwargs["synthesis_kwargs"]["conv_clamp"] == 8


def test_the_published_stylegan_comes_back(tmp_path: Path) -> None:
    tensors = vector("stylegan1_32")
    checkpoint = read(write_tf_pickle(tmp_path / "x.pkl", stylegan1_variables(tensors, 32)))
    assert checkpoint.family == "stylegan1"
    assert_same(checkpoint.tensors, tensors)
    stylegan1.Generator(**checkpoint.kwargs).load_state_dict(checkpoint.tensors)


@pytest.mark.parametrize("fused_scale", [True, False, "auto"])
def test_fused_upsampling_of_stylegan(fused_scale: bool | str, tmp_path: Path) -> None:
    channels = [8, 8, 8, 4, 4, 4]
    torch.manual_seed(3)
    network = stylegan1.Generator(**SMALL, img_resolution=128, channels=channels, fused_scale=fused_scale)
    tensors = network.state_dict()
    arguments = {"fused_scale": fused_scale}
    checkpoint = read(write_tf_pickle(tmp_path / "x.pkl", stylegan1_variables(tensors, 128), arguments))
    assert_same(checkpoint.tensors, tensors)
    assert checkpoint.kwargs["fused_scale"] == fused_scale


def test_the_published_progressive_gan_comes_back(tmp_path: Path) -> None:
    tensors = vector("pggan_32")
    path = write_tf_pickle(tmp_path / "x.pkl", pggan_variables(tensors, 32), components=(), module="tfutil")
    checkpoint = read(path)
    assert checkpoint.family == "pggan"
    assert_same(checkpoint.tensors, tensors)
    pggan.Generator(**checkpoint.kwargs).load_state_dict(checkpoint.tensors)


def test_fused_upsampling_of_progressive_gan(tmp_path: Path) -> None:
    torch.manual_seed(4)
    tensors = pggan.Generator(z_dim=8, img_resolution=16, channels=[8, 6, 4], fused_scale=True).state_dict()
    path = write_tf_pickle(tmp_path / "x.pkl", pggan_variables(tensors, 16), components=(), module="tfutil")
    assert_same(read(path).tensors, tensors)


def test_a_pickle_of_python_2_comes_back(tmp_path: Path) -> None:
    """Bytes are text there, and an instance is made by the opcode OBJ."""
    tensors = vector("pggan_32")
    path = write_tf_pickle(tmp_path / "x.pkl", pggan_variables(tensors, 32), components=(), module="tfutil", protocol=2)
    content = path.read_bytes().replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
    # A class, no arguments, NEWOBJ => MARK, the class, OBJ: first by name, then as remembered.
    content, firsts = re.subn(rb"(ctfutil\nNetwork\nq(.))\)\x81", rb"(\1o", content, flags=re.DOTALL)
    index = re.search(rb"ctfutil\nNetwork\nq(.)", content, flags=re.DOTALL)
    assert index is not None
    again = b"h" + index[1] + b")\x81"
    assert (firsts, content.count(again)) == (1, 2)
    path.write_bytes(content.replace(again, b"(h" + index[1] + b"o"))
    assert_same(read(path).tensors, tensors)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"mapping_nonlinearity": "relu"}, "mapping_nonlinearity"), ({"nonlinearity": "linear"}, "nonlinearity")],
)
def test_other_arithmetic_is_refused(arguments: dict[str, Any], named: str, tmp_path: Path) -> None:
    tensors = stylegan2_state(img_resolution=8, synthesis_kwargs={"channel_base": 64})
    with pytest.raises(CheckpointRefused, match=named):
        read(write_tf_pickle(tmp_path / "x.pkl", stylegan2_variables(tensors), arguments))


Change = Callable[[dict[str, Any]], Any]
CHANGES: dict[str, tuple[Change, str]] = {
    "a variable more": (lambda held: held.update({"synthesis/8x8/Extra/weight": np.ones(3)}), "Extra"),
    "a variable less": (lambda held: held.pop("synthesis/8x8/Conv1/bias"), "conv1.bias"),
    "labels of 2019": (lambda held: held.update({"mapping/LabelConcat/weight": np.ones((2, 2))}), "labels"),
    "a shape too flat": (lambda held: held.update({"synthesis/8x8/Conv1/weight": np.ones(3)}), "shape"),
    "a resolution too large": (lambda held: held.update({"synthesis/8192x8192/Conv1/bias": np.ones(3)}), "8192"),
    "a level beyond reason": (
        lambda held: held.update({"synthesis/noise99999999999": np.ones((1, 1))}),
        "cannot|shape",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_network_that_does_not_fit_is_refused(what: str, tmp_path: Path) -> None:
    change, named = CHANGES[what]
    variables = stylegan2_variables(stylegan2_state(img_resolution=8, synthesis_kwargs={"channel_base": 64}))
    change(variables)
    with pytest.raises(CheckpointRefused, match=named):
        read(write_tf_pickle(tmp_path / "x.pkl", variables))


def test_a_discriminator_alone_is_refused(tmp_path: Path) -> None:
    from tests.models.checkpoints.pickles import Network, modules

    network = tf_network({"4x4/FromRGB/weight": np.zeros((1, 1, 3, 8), np.float32)})
    with modules(dnnlib__tflib__network={"Network": Network}):
        path = write_pickle(tmp_path / "x.pkl", network)
    with pytest.raises(CheckpointRefused, match="discriminator alone"):
        read(path)
