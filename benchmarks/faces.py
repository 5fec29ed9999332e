"""Are they faces, are they varied, are they anybody's? A training run's snapshot, measured for its card.

    python -m benchmarks.faces RUN_OR_SNAPSHOT --data PICTURES --detector YUNET.onnx --out FOLDER [--noise 1.0]

Writes measured.json and nearest.jpg, which `personne export --measured FOLDER` puts into the card. The detector
(YuNet, MIT) is the reader's own copy; without it the share of faces is left out.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from models.latents import seed_to_z
from models.networks.stylegan2 import Generator, scale_noise
from training.dataset import load_pictures
from training.metrics.nearest import memorisation, nearest, suspects_picture
from training.metrics.sliced_wasserstein import sliced_wasserstein
from training.snapshots import open_snapshot

DETECTOR_SIDE = 256
MINIBATCH = 50
ENLARGED = 2


def main() -> None:
    options = parse()
    snapshot = open_snapshot(options.snapshot)
    generator = snapshot.generator()
    scale_noise(generator.synthesis, options.noise)
    samples = draw(generator, options.samples, options.psi)
    train, test = (
        torch.from_numpy(load_pictures(options.data, generator.img_resolution, split)) for split in ("train", "test")
    )
    found = nearest(samples, train)
    measured = {"samples": float(len(samples)), "noise": options.noise, **memorisation(found, nearest(test, train))}
    if options.detector is not None:
        measured["face_share"] = face_share(samples, options.detector)
    # Untruncated: a distance to the data asks for all of the variety. Both distances of one size of set.
    whole = draw(generator, len(test), psi=1.0)
    shuffled = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[: len(test)]]
    measured["swd"] = mean_distance(whole, shuffled)
    measured["swd_floor"] = mean_distance(test, shuffled)

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "measured.json").write_text(json.dumps(measured, indent=2) + "\n")
    sheet = suspects_picture(samples, train, found)
    sheet.resize((sheet.width * ENLARGED, sheet.height * ENLARGED)).save(options.out / "nearest.jpg", quality=92)
    for name, value in measured.items():
        print(f"{name:24} {value:.4g}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--psi", type=float, default=0.7)
    parser.add_argument("--noise", type=float, default=1.0)
    return parser.parse_args()


@torch.no_grad()
def draw(generator: Generator, count: int, psi: float) -> Tensor:
    """The faces of seeds 0 to count - 1: [count, 3, R, R] uint8."""
    z = torch.cat([torch.from_numpy(seed_to_z(seed, generator.z_dim)) for seed in range(count)])
    parts = [generator(part, truncation_psi=psi, noise_mode="const") for part in z.split(MINIBATCH)]
    # [-1, 1] => 0..255
    return torch.cat([(part * 127.5 + 128).clamp(0, 255).to(torch.uint8) for part in parts])


def face_share(pictures: Tensor, detector: Path) -> float:
    """The share of pictures [N, 3, R, R] uint8 in which YuNet finds exactly one face."""
    size = (DETECTOR_SIDE, DETECTOR_SIDE)
    yunet = cv2.FaceDetectorYN.create(str(detector), "", size, score_threshold=0.7)
    single = 0
    for picture in pictures.numpy():
        blue_first = np.ascontiguousarray(picture.transpose(1, 2, 0)[..., ::-1])
        faces = yunet.detect(cv2.resize(blue_first, size, interpolation=cv2.INTER_CUBIC))[1]
        single += faces is not None and len(faces) == 1
    return single / len(pictures)


def mean_distance(a: Tensor, b: Tensor) -> float:
    levels = sliced_wasserstein(a, b)
    return sum(levels.values()) / len(levels)


if __name__ == "__main__":
    main()
