"""The process that reads: what it may do, what it may not, and the one sentence that every end of it becomes."""

import json
import logging
import re
import resource
from pathlib import Path

import pytest
import torch

from models.checkpoints import sandbox
from models.checkpoints.errors import CheckpointRefused, CheckpointUnsafe
from models.checkpoints.limits import Limits
from models.checkpoints.opening import open_safely
from models.checkpoints.sandbox import read_checkpoint
from models.networks.stylegan2 import Generator
from tests.models.checkpoints.hostile_files import HOSTILE
from tests.models.checkpoints.pickles import write_nvlabs_pickle

READERS = "tests.models.checkpoints.bad_readers"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.pkl"
    path.write_bytes(b"N.")
    return path


def test_a_reading_comes_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONNE_SECRET", "1")
    heard: list[str] = []
    arguments = {"word": "reading"}
    found = read_checkpoint(path, f"{READERS}:behave", arguments=arguments, on_progress=heard.append)
    assert (found.family, found.kwargs, found.origin) == ("stylegan2", {"z_dim": 4}, "a test")
    assert found.notes == ("a note",)
    assert torch.equal(found.tensors["c"], torch.arange(6.0).view(2, 3).T)
    assert torch.equal(found.tensors["a"], found.tensors["b"])
    assert found.tensors["d"].shape == ()
    assert heard[0] == "reading [31m of x.pkl"
    assert "SECRET" not in heard[1]
    assert "PATH" not in heard[1].split()


def test_all_that_is_forbidden_is_stopped(path: Path) -> None:
    heard: list[str] = []
    with pytest.raises(CheckpointRefused, match="All was tried"):
        read_checkpoint(path, f"{READERS}:trespass", on_progress=heard.append)
    assert len(heard) == 11
    assert [line for line in heard if not line.endswith(": refused")] == []
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("reader", ["allocate", "hoard"])
def test_memory_is_bounded(reader: str, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=sandbox.__name__)
    with pytest.raises(CheckpointUnsafe, match="more memory"):
        read_checkpoint(path, f"{READERS}:{reader}", limits=Limits(base_mebibytes=512))
    assert peak_mebibytes(caplog) < 800


def peak_mebibytes(caplog: pytest.LogCaptureFixture) -> int:
    found = re.search(r"took (\d+) MiB", caplog.text)
    assert found
    # Linux counts what the parent had at the fork into the child's peak: after other tests, more than the child took.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return 0 if int(found[1]) <= own else int(found[1])


@pytest.mark.parametrize(
    ("reader", "seconds", "named"),
    [
        ("linger", 1, "took longer than 1 s"),
        ("crash", 60, "signal 11"),
        ("leave", 60, "no usable answer|process"),
        ("stumble", 60, "KeyError: 'x.pkl.*of two lines'"),
        ("answer_at_length", 60, "cannot be read|more than"),
    ],
)
def test_every_end_is_one_sentence(reader: str, seconds: int, named: str, path: Path) -> None:
    with pytest.raises(CheckpointRefused, match=named) as refused:
        read_checkpoint(path, f"{READERS}:{reader}", limits=Limits(seconds=seconds))
    assert "\n" not in str(refused.value)


def test_hostile_files_take_little_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """All of them one after another, in one process."""
    paths = []
    for number, write in enumerate(HOSTILE.values()):
        paths.append(tmp_path / f"{number}.pkl")
        write(paths[-1])
    listing = tmp_path / "listing"
    listing.write_text("\n".join(map(str, paths)))
    heard: list[str] = []
    caplog.set_level(logging.DEBUG, logger=sandbox.__name__)
    with pytest.raises(CheckpointRefused, match="All were tried"):
        read_checkpoint(listing, f"{READERS}:open_all", on_progress=heard.append)
    assert len(heard) == len(HOSTILE)
    assert heard.count("opened") <= 5, "the rest is refused before a reader sees it"
    assert peak_mebibytes(caplog) < 500


def test_a_checkpoint_opens_through_all_walls(tmp_path: Path) -> None:
    kwargs = {"z_dim": 4, "c_dim": 0, "w_dim": 4, "img_resolution": 8, "img_channels": 3}
    kwargs |= {"synthesis_kwargs": {"channel_base": 32, "conv_clamp": 256}}
    tensors = Generator(**kwargs).state_dict()
    path = write_nvlabs_pickle(tmp_path / "x.pkl", "Generator", kwargs, tensors)
    heard: list[str] = []
    found = open_safely(path, on_progress=heard.append)
    assert json.dumps(found.kwargs, sort_keys=True) == json.dumps(kwargs, sort_keys=True)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in tensors.items())
    assert heard


def test_limits_reach_the_reading(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "x.pt")
    with pytest.raises(CheckpointUnsafe, match="opcodes"):
        open_safely(tmp_path / "x.pt", limits=Limits(opcodes=3))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="cannot be read"):
        open_safely(tmp_path / "absent.pkl")
