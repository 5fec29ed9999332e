"""Every network against the outputs of its published implementation: one row a case of ../shared/vectors."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.networks import stylegan2

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


ROWS = [
    Row("stylegan2_32", stylegan2_outputs),
    Row("stylegan2_conditional_16", stylegan2_outputs),
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
