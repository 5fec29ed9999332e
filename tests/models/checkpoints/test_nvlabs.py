"""NVIDIA's pickles, written by us as they write them, come back tensor for tensor."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.checkpoints.containers import open_container
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.nvlabs import is_nvlabs, read_nvlabs
from models.networks.stylegan2 import Generator
from tests.models.checkpoints.pickles import Persistent, module_state, write_nvlabs_pickle, write_pickle

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
CASES = ("stylegan2_32", "stylegan2_conditional_16", "stylegan3_t_32", "stylegan3_r_32")
KWARGS: dict[str, Any] = {
    "z_dim": 8,
    "c_dim": 0,
    "w_dim": 8,
    "img_resolution": 8,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 64, "channel_max": 8, "conv_clamp": 256},
}


def case(name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not VECTORS.is_dir():
        pytest.skip("../shared/vectors is absent")
    kwargs = json.loads((VECTORS / name / "case.json").read_text())["init_kwargs"]
    return kwargs, load_file(VECTORS / name / "weights.safetensors")


def tensors_of(kwargs: dict[str, Any]) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return Generator(**kwargs).state_dict()


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("name", CASES)
def test_a_published_network_comes_back_whole(name: str, tmp_path: Path) -> None:
    kwargs, tensors = case(name)
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", kwargs, tensors)
    opened = open_container(path)
    assert opened.kind == "pickle"
    assert is_nvlabs(opened.content)
    checkpoint = read_nvlabs(opened.content)
    assert checkpoint.family == name.partition("_")[0]
    assert checkpoint.kwargs == kwargs
    assert checkpoint.notes == ()
    assert_same(checkpoint.tensors, tensors)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_any_protocol(protocol: int, tmp_path: Path) -> None:
    tensors = tensors_of(KWARGS)
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", KWARGS, tensors, protocol=protocol)
    opened = open_container(path)
    assert opened.content["training_set_kwargs"] == {"path": "faces.zip", "max_size": 7}
    assert_same(read_nvlabs(opened.content).tensors, tensors)


def test_source_texts_are_not_kept(tmp_path: Path) -> None:
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", KWARGS, tensors_of(KWARGS))
    assert b"was executed" in path.read_bytes()
    assert "was executed" not in str(open_container(path).content)


def test_without_an_average_g_is_taken_and_said(tmp_path: Path) -> None:
    tensors = tensors_of(KWARGS)
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", KWARGS, tensors, names=("G", "D"))
    checkpoint = read_nvlabs(open_container(path).content)
    assert_same(checkpoint.tensors, {name: tensor * 2 for name, tensor in tensors.items()})
    assert "G_ema" in checkpoint.notes[0]


def flat(**synthesis: Any) -> dict[str, Any]:
    """Arguments as the StyleGAN3 repository gives them to StyleGAN2."""
    plain = {name: value for name, value in KWARGS.items() if name != "synthesis_kwargs"}
    return {**plain, "channel_base": 64, "channel_max": 8, **synthesis}


@pytest.mark.parametrize(
    ("kwargs", "place", "clamp"),
    [
        (flat(), (), 256),
        (flat(conv_clamp=None), (), None),
        ({**KWARGS, "synthesis_kwargs": {"channel_base": 64, "channel_max": 8}}, ("synthesis_kwargs",), None),
    ],
)
def test_each_repository_has_its_default_clamp(
    kwargs: dict[str, Any], place: tuple[str, ...], clamp: int | None, tmp_path: Path
) -> None:
    tensors = tensors_of(kwargs)
    found = read_nvlabs(open_container(write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", kwargs, tensors)).content)
    given = found.kwargs
    for name in place:
        given = given[name]
    assert given["conv_clamp"] == clamp
    Generator(**found.kwargs).load_state_dict(found.tensors)


def test_half_precision_blocks_change_nothing(tmp_path: Path) -> None:
    kwargs = {**KWARGS, "synthesis_kwargs": {**KWARGS["synthesis_kwargs"], "num_fp16_res": 4}}
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", kwargs, tensors_of(KWARGS))
    found = read_nvlabs(open_container(path).content)
    Generator(**found.kwargs).load_state_dict(found.tensors)


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointRefused) as refused:
        read_nvlabs(open_container(path).content)
    return str(refused.value)


def test_what_cannot_be_served_is_named(tmp_path: Path) -> None:
    tensors = tensors_of(KWARGS)
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "SuperresGenerator", KWARGS, tensors)
    assert "StyleGAN-XL" in refusal(path)
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", KWARGS, tensors, names=("D",))
    assert "discriminator alone" in refusal(path)
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Painter", KWARGS, {"brush.weight": torch.ones(3)})
    assert "Painter" in refusal(path)
    assert "brush.weight" in refusal(path)


def test_what_cannot_be_served_is_named_even_where_it_needs_more(tmp_path: Path) -> None:
    generator = Persistent("SuperresGenerator", module_state({}, {}, {"embed": torch.nn.Embedding(2, 2)}))
    assert "StyleGAN-XL" in refusal(write_pickle(tmp_path / "x.pkl", {"G_ema": generator}))


def test_a_pickle_without_networks_is_not_nvidias(tmp_path: Path) -> None:
    assert not is_nvlabs(open_container(write_pickle(tmp_path / "x.pkl", {"G_ema": {"a": torch.ones(2)}})).content)
