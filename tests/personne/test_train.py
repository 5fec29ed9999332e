"""From pictures to a served face, by the commands alone."""

import re
import signal
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.personne.processes import ADDRESS, personne, ready

# Two processes of torch on two cores wait for each other more than they compute.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight blots of 16x16."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for number in range(8):
        blot = draw.integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(blot).resize((16, 16)).save(folder / f"{number}.png")
    return folder


@pytest.mark.timeout(400)
def test_a_run_is_killed_resumed_exported_and_served(pictures: Path, tmp_path: Path) -> None:
    run, store = tmp_path / "runs" / "mine", tmp_path / "store"
    learn = ["train", "faces", "--data", str(pictures), "--resolution", "16", "--out", str(run), "--device", "cpu"]
    learn += ["--images", "240", "--batch", "8", "--set", "log_every_images=8", "--set", "state_every_images=32"]
    with personne(*learn, env=ONE_THREAD) as process:
        process.wait_for(re.compile(r"\b(6[4-9]|[7-9]\d|\d{3,})/240 images"), within_s=120)
        process.stop(signal.SIGKILL)
    with personne(*learn, env=ONE_THREAD) as process:
        went_on = process.wait_for(re.compile(r"from image (\d+) of 240"), within_s=120)
        assert 32 <= int(went_on[1]) < 240
        assert process.popen.wait(180) == 0, process.said
    with personne("export", str(run), "--name", "mine", "--store", str(store), env=ONE_THREAD) as process:
        assert process.popen.wait(120) == 0, process.said
        process.close()
        assert f"is in {store / 'mine'}." in process.said
    with personne("serve", "--port", "0", "--store", str(store)) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        face = httpx.get(f"{address}/face?model=mine", timeout=30)
        assert face.status_code == 200
        assert face.headers["Content-Type"].startswith("image/")
