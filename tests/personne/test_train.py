"""From pictures to a served face, by the commands alone."""

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
def test_a_run_is_trained_exported_and_served(pictures: Path, tmp_path: Path) -> None:
    run, store = tmp_path / "runs" / "mine", tmp_path / "store"
    learn = ("train", "faces", "--data", str(pictures), "--resolution", "16", "--out", str(run))
    with personne(*learn, "--images", "32", "--batch", "8", "--device", "cpu", env=ONE_THREAD) as process:
        assert process.popen.wait(120) == 0, process.said
    with personne("export", str(run), "--name", "mine", "--store", str(store), env=ONE_THREAD) as process:
        assert process.popen.wait(120) == 0, process.said
        process.close()
        assert f"is in {store / 'mine'}." in process.said
    with personne("serve", "--port", "0", "--store", str(store), "--default-model", "mine") as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        assert httpx.get(f"{address}/v1/faces/7.png", timeout=30).status_code == 200
