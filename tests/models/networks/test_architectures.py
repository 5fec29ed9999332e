"""A family's network is built from its tensors, all of them and no other."""

from typing import Any

import pytest
import torch

from models.errors import ModelRefused
from models.networks.architectures import ARCHITECTURES, build
from tests.tiny_networks import TINY_NETWORKS, tiny_network


def test_every_family_has_a_tiny_network() -> None:
    assert {family for family, _ in TINY_NETWORKS.values()} == set(ARCHITECTURES)


@pytest.mark.parametrize("name", TINY_NETWORKS)
def test_a_network_is_rebuilt_from_its_tensors(name: str) -> None:
    network, family, kwargs = tiny_network(name)
    again = build(family, kwargs, {key: tensor.half() for key, tensor in network.state_dict().items()})
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())
    expected = network.state_dict()
    assert again.state_dict().keys() == expected.keys()
    for key, tensor in again.state_dict().items():
        assert tensor.dtype == expected[key].dtype
        assert torch.equal(tensor, expected[key].half().to(tensor.dtype)), key


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda tensors: tensors.pop("synthesis.b4.const"), r"synthesis\.b4\.const are missing"),
        (lambda tensors: tensors.update(left=torch.ones(1)), "left are unknown"),
        (
            lambda tensors: tensors.update({"mapping.fc0.bias": torch.ones(7)}),
            r"mapping\.fc0\.bias is \[7\] instead of \[24\]",
        ),
        (lambda tensors: tensors.clear(), r"and \d+ more are missing"),
    ],
    ids=["missing", "left over", "another shape", "nothing at all"],
)
def test_tensors_that_do_not_fit_are_named(spoil: Any, sentence: str) -> None:
    network, family, kwargs = tiny_network("stylegan2")
    tensors = dict(network.state_dict())
    spoil(tensors)
    with pytest.raises(ModelRefused, match=sentence):
        build(family, kwargs, tensors)


def test_what_describes_no_network_is_refused() -> None:
    with pytest.raises(ModelRefused, match="no family 'lucidrains'; known are stylegan1, stylegan2"):
        build("lucidrains", {}, {})
    with pytest.raises(ModelRefused, match=r"No dcgan network can be built as described: .*colour"):
        build("dcgan", {"colour": 1}, {})
    with pytest.raises(ModelRefused, match="resolution is 17"):
        build("pggan", {"img_resolution": 17}, {})


def test_a_huge_network_is_refused_before_any_memory_is_taken() -> None:
    huge = {"z_dim": 2**20, "c_dim": 0, "w_dim": 2**20, "img_resolution": 8, "img_channels": 3}
    with pytest.raises(ModelRefused, match="are missing"):
        build("stylegan2", huge, {})
