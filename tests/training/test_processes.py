"""Several processes train what one alone would train: by torchrun, on the CPU, talking through gloo."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.runs import CHILD, ROOT, state_of, stats_of
from training.config import TrainingConfig
from training.dcgan.config import DcganConfig
from training.draws import Draws
from training.faces import train
from training.processes import Processes
from training.run_config import RunConfig

CHANGES: dict[str, Any] = {
    "batch": 8,
    "total_images": 32,
    "bfloat16": False,
    "log_every_images": 8,
    "state_every_images": 32,
    "samples_every_images": 32,
    "snapshot_every_images": 32,
    "r1_interval_steps": 2,
    "augment": ("bgc", "translation"),
    "augment_probability": 0.3,
    "augment_target": 0.6,
    "augment_images": 400,
    "path_length_weight": 2.0,
    "path_length_interval_steps": 2,
}


def in_two_processes(config: TrainingConfig | DcganConfig, script: Path) -> "subprocess.CompletedProcess[str]":
    loop = "training.faces" if isinstance(config, TrainingConfig) else "training.dcgan"
    return in_processes(2, loop, config, script)


def in_processes(count: int, loop: str, config: RunConfig, script: Path) -> "subprocess.CompletedProcess[str]":
    """A run by torchrun. loop: the module whose `train` it is."""
    script.write_text(CHILD)
    (script.parent / "config.json").write_text(config.to_json())
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", f"{count}"]
    kind = type(config)
    return subprocess.run(
        [*torchrun, str(script), loop, kind.__module__, kind.__name__, str(script.parent / "config.json")],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_two_processes_agree_with_one(tiny: TrainingConfig, tmp_path: Path) -> None:
    alone = dataclasses.replace(tiny, **CHANGES)
    # From a file that one of them decodes as the other waits.
    together = dataclasses.replace(alone, out=tmp_path / "together", data_memory_share=0.0)
    train(alone)
    ran = in_two_processes(together, tmp_path / "child.py")
    assert ran.returncode == 0, ran.stderr[-2000:]
    one, two = state_of(alone), state_of(together)
    assert one["images_seen"] == two["images_seen"] == 32
    assert one["strength"]["value"] == pytest.approx(two["strength"]["value"], abs=1e-9)
    assert float(one["path_length"]["mean"]) == pytest.approx(float(two["path_length"]["mean"]), rel=1e-4)
    torch.manual_seed(alone.seed)
    for name in ("generator", "discriminator", "average"):
        for key, tensor in one[name].items():
            torch.testing.assert_close(two[name][key], tensor, atol=2e-4, rtol=1e-3, msg=lambda m, k=key: f"{k}: {m}")
    assert len(stats_of(together)) == len(stats_of(alone)) == 4


def test_a_batch_that_cannot_be_shared_is_refused(tiny: TrainingConfig, tmp_path: Path) -> None:
    odd = dataclasses.replace(tiny, batch=5, minibatch_std_group=5)
    ran = in_two_processes(odd, tmp_path / "child.py")
    assert ran.returncode != 0
    assert "batch is 5; it must be a multiple of the 2 processes" in ran.stderr
    assert not (tiny.out / "state.pt").exists()


def test_shares_make_the_whole_and_keep_groups_together() -> None:
    torch.manual_seed(3)
    whole = Draws().randn(8, 2, device=torch.device("cpu"))
    shares = []
    for rank in range(2):
        torch.manual_seed(3)
        shares.append(Draws(rank, 2).randn(4, 2, device=torch.device("cpu")))
    assert torch.equal(torch.stack(shares, dim=1).flatten(0, 1), whole)
    # As a minibatch standard deviation groups them: every second row of eight, in groups of four.
    groups = whole.reshape(4, 2, 2).transpose(0, 1)
    for share, group in zip(shares, groups, strict=True):
        assert torch.equal(share, group)


def test_one_process_averages_nothing(tiny: TrainingConfig) -> None:
    with Processes(tiny) as alone:
        x = torch.tensor([1.0, 2.0])
        alone.average([x])
        assert x.tolist() == [1.0, 2.0]
        assert alone.any(True)
        assert not alone.any(False)
        assert (alone.batch, alone.is_first) == (tiny.batch, True)
