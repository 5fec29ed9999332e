"""What the tests of every recipe share: a run killed in its midst is compared with one that never stopped."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from training.run_config import RunConfig

ROOT = Path(__file__).parents[2]
CHILD = """
import importlib, sys
import torch
torch.set_num_threads(1)
loop, module, name, *config = sys.argv[1:]
text = open(*config).read() if config else sys.stdin.read()
config = getattr(importlib.import_module(module), name).from_json(text)
importlib.import_module(loop).train(config)
"""


def state_of(config: RunConfig) -> dict[str, Any]:
    """What state.pt of a run holds."""
    content: dict[str, Any] = torch.load(config.out / "state.pt", weights_only=True)
    return content


def stats_of(config: RunConfig) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (config.out / "stats.jsonl").read_text().splitlines()]


def assert_same(first: Any, second: Any, where: str = "state") -> None:
    """Bit for bit, however nested."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_same(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list):
        assert len(first) == len(second), where
        for i, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, where=f"{where}[{i}]")
    else:
        assert first == second, where


def started(loop: str, config: RunConfig) -> "subprocess.Popen[str]":
    """The run in a process of its own. loop: the module whose `train` it is."""
    kind = type(config)
    command = [sys.executable, "-c", CHILD, loop, kind.__module__, kind.__name__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, text=True)
    assert process.stdin is not None
    process.stdin.write(config.to_json())
    process.stdin.close()
    return process


def wait_for_rows(config: RunConfig, process: "subprocess.Popen[str]", rows: int) -> None:
    stats = config.out / "stats.jsonl"
    while process.poll() is None and not (stats.exists() and stats.read_text().count("\n") >= rows):
        time.sleep(0.002)


def assert_a_kill_loses_nothing(loop: str, train: Any, config: RunConfig, tmp_path: Path, *, rows: int = 3) -> None:
    """`config`: of a run long enough to be killed after `rows` reports, which saves often."""
    killed = dataclasses.replace(config, out=tmp_path / "killed")
    process = started(loop, killed)
    wait_for_rows(killed, process, rows)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < state_of(killed)["images_seen"] < config.total_images
    train(killed)
    train(config)
    assert_same(state_of(killed), state_of(config))
    seen = [row["images_seen"] for row in stats_of(killed)]
    assert seen == sorted(set(seen))
    assert seen[-1] == config.total_images
