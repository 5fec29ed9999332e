"""What lies beside or inside a file of tensors: believed where it is ours, ignored or refused where it is not."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.checkpoints.description import Description, describe_file
from models.checkpoints.errors import CheckpointRefused


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "faces-000001000.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    return path


def test_a_snapshot_of_ours(weights: Path) -> None:
    fields = {"family": "stylegan2", "generator_kwargs": {"z_dim": 8}, "images_seen": 1000}
    weights.with_suffix(".json").write_text(json.dumps(fields))
    description = describe_file(weights)
    assert description == Description("stylegan2", {"z_dim": 8}, None, 1000)
    assert description.as_request() == {"family": "stylegan2", "kwargs": {"z_dim": 8}}


@pytest.mark.parametrize("text", ["{", "[]", '{"family": "x"}', '{"family": "x", "generator_kwargs": 3}', "9" * 5000])
def test_something_else_beside_it(weights: Path, text: str) -> None:
    weights.with_suffix(".json").write_text(text)
    with pytest.raises(CheckpointRefused, match="describes no snapshot of personne"):
        describe_file(weights)


@pytest.mark.parametrize("key", ["licence", "license"])
def test_a_licence_in_the_metadata(tmp_path: Path, key: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={key: "CC BY\n 4.0", "kwargs": '{"z_dim": 8}', "family": "pggan"})
    assert describe_file(path) == Description("pggan", {"z_dim": 8}, "CC BY 4.0")
    assert describe_file(path).as_request()["family"] == "pggan"


def test_metadata_of_strangers(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    for metadata in ({"format": "pt"}, {"family": "pggan"}, {"family": "pggan", "kwargs": "["}):
        save_file({"a": torch.zeros(2)}, path, metadata=metadata)
        assert describe_file(path).as_request() == {}


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", (2**40).to_bytes(8, "little") + b"{", b"\x02" + bytes(7) + b"[]"]
)
def test_files_without_metadata(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert describe_file(path) == Description()
    path.unlink()
    assert describe_file(path) == Description()
