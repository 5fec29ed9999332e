"""Every container gives back what was put into it, as plain data, and a stranger is told what it looks like."""

import pickle
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoints.containers import open_container, open_torch_file, sniff
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.pickled_arrays import PickledArray

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16)


def state_dict() -> OrderedDict[str, Tensor]:
    """Tensors of every kind that checkpoints hold, with the attribute that state dicts carry."""
    held = OrderedDict((str(dtype), torch.arange(6).to(dtype)) for dtype in (*DTYPES, torch.int8, torch.uint8))
    held |= {"bool": torch.tensor([True, False]), "scalar": torch.tensor(5), "empty": torch.empty(0, 3)}
    whole = torch.randn(4, 6)
    held |= {"transposed": whole.T, "part": whole[1:3, ::2], "repeated": torch.ones(1).expand(3, 2)}
    held |= {"parameter": nn.Parameter(torch.randn(2))}
    held._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
    return held


def content() -> dict[str, Any]:
    return {
        "g_ema": state_dict(),
        "args": Namespace(size=32, milestones=[1, 2]),
        "n": np.float64(2.5),
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "classes": {1, 2},
        "nothing": None,
    }


def new_torch(path: Path) -> None:
    torch.save(content(), path)


def old_torch(path: Path) -> None:
    torch.save(content(), path, _use_new_zipfile_serialization=False)


def pickled(protocol: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(pickle.dumps(content(), protocol=protocol))

    return write


@pytest.mark.parametrize(
    ("kind", "write"),
    [("torch-zip", new_torch), ("torch-legacy", old_torch), *(("pickle", pickled(number)) for number in (2, 3, 4, 5))],
)
def test_what_was_saved_comes_back(kind: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    torch.manual_seed(0)
    write(tmp_path / "x")
    torch.manual_seed(0)
    expected = state_dict()
    opened = open_container(tmp_path / "x")
    assert opened.kind == kind
    found = opened.content["g_ema"]
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor.detach()), name
    rest = {name: value for name, value in opened.content.items() if name != "g_ema"}
    assert rest == {
        "args": {"size": 32, "milestones": [1, 2]},
        "n": 2.5,
        "size": (1, 2),
        "dtype": torch.float16,
        "device": "cpu",
        "classes": {1, 2},
        "nothing": None,
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.arange(6, dtype=">i2"), np.eye(3, 2, order="F")])
def test_arrays_come_back(array: np.ndarray[Any, Any], protocol: int, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pickle.dumps([array, array[0]], protocol=protocol))
    found, _ = open_container(tmp_path / "x").content
    assert isinstance(found, PickledArray)
    assert found.array.dtype == array.dtype
    assert np.array_equal(found.array, array)


def test_what_pytorch_itself_reads_is_read_alike(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).state_dict(), tmp_path / "x.pth")
    expected = torch.load(tmp_path / "x.pth", weights_only=True)
    found = open_torch_file(tmp_path / "x.pth")
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_tensors_on_a_gpu_come_to_the_cpu(tmp_path: Path) -> None:
    """The device is a word in the file; a machine without it reads the file all the same."""
    torch.save(torch.ones(2), tmp_path / "x", _use_new_zipfile_serialization=False)
    held = (tmp_path / "x").read_bytes()
    assert held.count(b"X\x03\x00\x00\x00cpu") == 1
    (tmp_path / "x").write_bytes(held.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    assert open_torch_file(tmp_path / "x").device == torch.device("cpu")


def test_safetensors(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2, 3)}, tmp_path / "x", metadata={"licence": "CC0"})
    opened = open_container(tmp_path / "x")
    assert opened.kind == "safetensors"
    assert opened.metadata == {"licence": "CC0"}
    assert torch.equal(opened.content["a"], torch.ones(2, 3))


def test_a_safetensors_header_of_any_length_is_no_pickle(tmp_path: Path) -> None:
    """Its first byte is that of the length: 0x80 and 0x28 begin pickles too."""
    for spaces in range(40):
        save_file({"a": torch.ones(1)}, tmp_path / "x", metadata={"filler": "x" * 8 * spaces})
        assert sniff(tmp_path / "x") == "safetensors"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b'{"a": 1}', "JSON"),
        (b"\x00\x01\x02\x03", "00 01 02 03"),
    ],
)
def test_a_stranger_is_told_what_it_looks_like(head: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(head)
    with pytest.raises(CheckpointRefused, match=what):
        open_container(tmp_path / "x")
