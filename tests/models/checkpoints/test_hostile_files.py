"""Whatever a file tries, opening it ends in one sentence: nothing executed, nothing written, little memory taken."""

import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from models.checkpoints.containers import check_shape, open_container, open_torch_file
from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import Limits
from models.checkpoints.nvlabs import read_nvlabs
from models.checkpoints.opening import read_any
from models.checkpoints.recognise import Request
from models.networks.stylegan2 import Generator
from tests.models.checkpoints.hostile_files import COMMAND, HOSTILE, TRACE
from tests.models.checkpoints.pickles import write_nvlabs_pickle

SMALL: dict[str, Any] = {"z_dim": 4, "c_dim": 0, "w_dim": 4, "img_resolution": 8, "img_channels": 3}
KWARGS = {**SMALL, "synthesis_kwargs": {"channel_base": 32}}
NAMED = {
    "os.system by reduce": "system",
    "eval": "builtins.eval",
    "a dotted module": "os.path.os.system",
    "a pickle in a storage": "magic|system",
    "a pickle as a storage's type": "os.system",
    "EXT1": "EXT1",
    "an array of terabytes": "4,398,046,511,104",
    "a storage of terabytes": "1,099,511,627,776",
    "a bomb of zeros": "compressed",
    "a whole model": "torch.nn.modules.linear.Linear",
    "TorchScript": "TorchScript",
    "a web page": "web page",
    "nothing at all": "empty",
}


def read(path: Path, limits: Limits | None = None) -> Any:
    return read_any(path, print, limits=asdict(limits or Limits()), **asdict(Request()))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_one_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.pkl"
    HOSTILE[name](path)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointRefused, match=NAMED.get(name)) as refused:
            read(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert peak_bytes < 32 * 2**20 + 8 * path.stat().st_size
    assert [one.name for one in tmp_path.iterdir()] == [path.name], TRACE


def test_source_text_that_would_write_a_file_is_read_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tensors = Generator(**KWARGS).state_dict()
    source = f"import os\nos.system({COMMAND!r})\nopen({TRACE!r}, 'w')\n"
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", KWARGS, tensors, source=source)
    checkpoint = read_nvlabs(open_container(path).content)
    assert set(checkpoint.tensors) == set(tensors)
    assert [one.name for one in tmp_path.iterdir()] == ["x.pkl"]


def nvidia(path: Path) -> None:
    write_nvlabs_pickle(path, "Generator", KWARGS, Generator(**KWARGS).state_dict())


def new_torch(path: Path) -> None:
    torch.save({"g_ema": {"a": torch.ones(1000)}}, path)


def old_torch(path: Path) -> None:
    torch.save({"g_ema": {"a": torch.ones(1000)}}, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.7, 0.99, 1.0])
@pytest.mark.parametrize("write", [nvidia, new_torch, old_torch])
def test_a_truncated_file_is_refused(write: Callable[[Path], None], share: float, tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[: min(int(len(content) * share), len(content) - 1)])
    with pytest.raises(CheckpointRefused):
        open_container(path)


@pytest.mark.parametrize("write", [nvidia, new_torch, old_torch])
def test_damage_anywhere_never_escapes(write: Callable[[Path], None], tmp_path: Path) -> None:
    """One bit changed, at 80 places: it opens as something, or is refused; no other error comes out."""
    path = tmp_path / "x.pkl"
    write(path)
    content = path.read_bytes()
    draw = torch.Generator().manual_seed(5)
    refused = 0
    # The structure of a file lies at its beginning, and of an archive at its end.
    for place in (torch.rand(40, generator=draw) ** 3 * len(content)).int().tolist():
        for position in (place, len(content) - 1 - place):
            damaged = bytearray(content)
            damaged[position] ^= 1 << (place % 8)
            path.write_bytes(bytes(damaged))
            try:
                open_container(path)
            except CheckpointRefused:
                refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (Limits(opcodes=100), "opcodes"),
        (Limits(tensors=5), "tensors"),
        (Limits(file_bytes=1000), "at most 1,000"),
        (Limits(depth=3), "deep"),
        (Limits(objects=100), "spelt out"),
    ],
)
def test_every_limit_holds(limits: Limits, named: str, tmp_path: Path) -> None:
    nvidia(tmp_path / "x.pkl")
    with pytest.raises(CheckpointUnsafe, match=named):
        open_container(tmp_path / "x.pkl", limits)


def test_an_archive_of_more_entries_than_the_limit(tmp_path: Path) -> None:
    torch.save({str(i): torch.ones(1) for i in range(20)}, tmp_path / "x.pt")
    assert len(open_torch_file(tmp_path / "x.pt")) == 20
    with pytest.raises(CheckpointUnsafe, match="entries"):
        open_torch_file(tmp_path / "x.pt", Limits(entries=10))


def test_one_object_many_times_is_no_bomb() -> None:
    shared = [1] * 1000
    check_shape({str(i): shared for i in range(1000)}, Limits())
    with pytest.raises(CheckpointUnsafe, match="spelt out"):
        check_shape([[[shared] * 100] * 100] * 100, Limits())


def test_a_pickle_is_no_torch_file(tmp_path: Path) -> None:
    nvidia(tmp_path / "x.pkl")
    with pytest.raises(CheckpointRefused, match="not what torch"):
        open_torch_file(tmp_path / "x.pkl")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="cannot be read"):
        open_container(tmp_path / "absent.pkl")
