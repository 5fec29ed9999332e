"""Every network against the outputs of its published implementation: one row a case of ../shared/vectors."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.networks import patchgan, pggan, stylegan1, stylegan2, stylegan3, translator, unet

VECTORS = Path(__file__).parents[3].parent / "shared" / "vectors"

Outputs = Iterator[tuple[str, Tensor]]


@dataclass(frozen=True)
class Case:
    """What a folder of vectors holds: the description, the weights, the inputs with the expected outputs."""

    description: dict[str, Any]
    weights: dict[str, Tensor]
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class Row:
    """A case, how our network computes its outputs by name, and the largest difference allowed."""

    case: str
    outputs: Callable[[Case], Outputs]
    inputs: frozenset[str] = field(default=frozenset({"z", "c"}))
    limit: float = 1e-4


def stylegan2_outputs(case: Case) -> Outputs:
    generator = stylegan2.Generator(**case.description["init_kwargs"]).eval()
    generator.load_state_dict(case.weights)
    for i, call in enumerate(case.description["calls"]):
        truncation = {name: value for name, value in call.items() if name != "noise_mode"}
        ws = generator.mapping(case.tensors["z"], case.tensors.get("c"), **truncation)
        yield f"ws_{i}", ws
        yield f"img_{i}", generator.synthesis(ws, noise_mode=call["noise_mode"])


def stylegan3_outputs(case: Case) -> Outputs:
    generator = stylegan3.Generator(**case.description["init_kwargs"]).eval()
    generator.load_state_dict(case.weights)
    for i, call in enumerate(case.description["calls"]):
        truncation = {name: value for name, value in call.items() if name != "transform"}
        transform = torch.tensor(call["transform"]) if "transform" in call else None
        ws = generator.mapping(case.tensors["z"], **truncation)
        yield f"ws_{i}", ws
        yield f"img_{i}", generator.synthesis(ws, transform)


def picture_outputs(network: nn.Module, case: Case) -> Outputs:
    network.load_state_dict(case.weights)
    for name in [name for name in case.tensors if name.startswith("in_")]:
        yield name.replace("in_", "out_"), network.eval()(case.tensors[name])


def cyclegan_outputs(case: Case) -> Outputs:
    return picture_outputs(translator.ResnetTranslator(**translator.kwargs_from_tensors(case.weights)), case)


def pix2pix_outputs(case: Case) -> Outputs:
    return picture_outputs(unet.UnetTranslator(**unet.kwargs_from_tensors(case.weights)), case)


def patchgan_outputs(case: Case) -> Outputs:
    return picture_outputs(patchgan.PatchDiscriminator(**patchgan.kwargs_from_tensors(case.weights)), case)


PICTURES = frozenset({"in_0", "in_1"})


def pggan_outputs(case: Case) -> Outputs:
    generator = pggan.Generator(**pggan.kwargs_from_tensors(case.weights)).eval()
    generator.load_state_dict(case.weights)
    yield "img", generator(case.tensors["z"])


def stylegan1_outputs(case: Case) -> Outputs:
    generator = stylegan1.Generator(**stylegan1.kwargs_from_tensors(case.weights)).eval()
    generator.load_state_dict(case.weights)
    w = generator.mapping(case.tensors["z"])
    yield "w", w[:, 0]
    yield "ws", generator.truncation(w)
    yield "img", generator.synthesis(generator.truncation(w))


ROWS = [
    Row("pggan_32", pggan_outputs),
    Row("stylegan1_32", stylegan1_outputs),
    Row("stylegan2_32", stylegan2_outputs),
    Row("stylegan2_conditional_16", stylegan2_outputs),
    Row("stylegan3_t_32", stylegan3_outputs, limit=2e-4),
    Row("stylegan3_r_32", stylegan3_outputs, limit=2e-4),
    Row("cyclegan_resnet_9blocks", cyclegan_outputs, PICTURES),
    Row("pix2pix_unet_128", pix2pix_outputs, PICTURES),
    Row("patchgan_70x70", patchgan_outputs, PICTURES),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case)
@torch.no_grad()
def test_agrees_with_the_published_implementation(row: Row) -> None:
    folder = VECTORS / row.case
    if not folder.is_dir():
        pytest.skip("the reference vectors of ../shared are not here")
    case = Case(
        json.loads((folder / "case.json").read_text()),
        load_file(folder / "weights.safetensors"),
        load_file(folder / "expected.safetensors"),
    )
    computed = dict(row.outputs(case))
    assert set(computed) == set(case.tensors) - row.inputs
    differences = {name: (value - case.tensors[name]).abs().max().item() for name, value in computed.items()}
    assert max(differences.values()) <= row.limit, differences
