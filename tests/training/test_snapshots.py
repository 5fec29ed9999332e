import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.networks.stylegan2 import Generator
from training.atomic import written_whole
from training.snapshots import list_snapshots, open_snapshot, save_snapshot, thin_snapshots

KWARGS = {
    "z_dim": 8,
    "c_dim": 0,
    "w_dim": 8,
    "img_resolution": 8,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 1},
    "synthesis_kwargs": {"channel_base": 32, "channel_max": 4},
}
ROOT = Path(__file__).parents[2]


def test_the_newest_few_and_the_powers_of_two_stay(tmp_path: Path) -> None:
    generator = Generator(**KWARGS)
    for thousands in range(1, 12):
        save_snapshot(tmp_path, generator, thousands * 1000 + 8, KWARGS)
        thin_snapshots(tmp_path, 1000, keep=2)
    assert [int(path.stem[-9:]) // 1000 for path in list_snapshots(tmp_path)] == [1, 2, 4, 8, 10, 11]
    assert len(list((tmp_path / "snapshots").iterdir())) == 12


def test_a_run_without_snapshots_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no snapshot yet"):
        open_snapshot(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("old")
    child = f"""
import os, signal
from pathlib import Path
from training.atomic import written_whole
with written_whole(Path({str(path)!r})) as temporary:
    temporary.write_text("half of the n")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", child], cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    with written_whole(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
