"""What it costs that pictures are read from a file of the run: the same batches from memory, and from there.

    python -m benchmarks.loading [--resolutions 64 128 256] [--pictures 2000] [--batch 16] [--device auto] [--step-ms 0]

Batches are drawn in turns of a hundred, now from the one and now from the other, so that whatever else the machine does
meets both; the ratio is the median over the turns. `--step-ms` sleeps between batches, as a step of training takes,
and does not count it: what is left of reading when it is done ahead. The file has just been written, so the kernel
still keeps as much of it as it has room for; a set larger than memory is as quick as its disk.
"""

import argparse
import dataclasses
import io
import json
import statistics
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from training.config import TrainingConfig
from training.shuffled import ShuffledPictures, load_shuffled
from training.steps import device_of

TURN = 100


def main() -> None:
    options = parse()
    for resolution in options.resolutions:
        print(json.dumps(measure(options, resolution)), flush=True)


def measure(options: argparse.Namespace, resolution: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        config = TrainingConfig(
            data=made_of_noise(Path(folder) / "pictures.zip", options.pictures, resolution),
            out=Path(folder) / "run",
            resolution=resolution,
            total_images=1,
            batch=options.batch,
            device=options.device,
            data_memory_share=1.0,
        )
        device = device_of(config)
        resident = load_shuffled(config, config.data, resolution, device)
        mapped = load_shuffled(dataclasses.replace(config, data_memory_share=0.0), config.data, resolution, device)
        turns = [
            [seconds_of(each, turn, options.batch, options.step_ms, device) for each in (resident, mapped)]
            for turn in range(options.turns)
        ]
    images = TURN * options.batch
    rates = [images / statistics.median(turn[i] for turn in turns) for i in (0, 1)]
    return {
        "resolution": resolution,
        "device": device.type,
        "batch": options.batch,
        "step_ms": options.step_ms,
        "resident_images_per_second": round(rates[0]),
        "mapped_images_per_second": round(rates[1]),
        "mapped_over_resident": round(statistics.median(turn[0] / turn[1] for turn in turns), 3),
        "extra_us_per_image": round(statistics.median(turn[1] - turn[0] for turn in turns) / images * 1e6, 1),
    }


def made_of_noise(archive: Path, count: int, resolution: int) -> Path:
    random = np.random.RandomState(0)
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(count):
            content = io.BytesIO()
            Image.fromarray(random.randint(0, 256, (resolution, resolution, 3), np.uint8)).save(content, "BMP")
            file.writestr(f"{number:06d}.bmp", content.getvalue())
    return archive


def seconds_of(pictures: ShuffledPictures, turn: int, batch: int, step_ms: float, device: torch.device) -> float:
    """What `TURN` batches took, without the steps between them."""
    total = 0.0
    for step in range(TURN):
        begun = time.perf_counter()
        pictures.batch((turn * TURN + step) * batch, batch)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        total += time.perf_counter() - begun
        time.sleep(step_ms / 1000)
    return total


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--step-ms", type=float, default=0.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
