"""Is it painted, and is it still the photo? A translation run's snapshot, measured for its card.

    python -m benchmarks.painting RUN_OR_SNAPSHOT --data PHOTOS --style PAINTINGS --out FOLDER [--sheet PHOTOS]

Reads the test splits of both sets. Writes measured.json and painted.jpg, twelve photos each above its translation;
`--sheet` takes half of them from another folder.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

from models.networks.translator import ResnetTranslator
from personne.commands.model_card import MEASURED_FILE, PAINTED_FILE
from training.decoding import read_rgb
from training.metrics.faithfulness import cycle_l1, edge_preservation, saturation_kept
from training.metrics.sliced_wasserstein import sliced_wasserstein
from training.metrics.style import style_distance
from training.run_log import save_grid
from training.snapshots import BACKWARD, list_snapshots, open_snapshot
from training.translation.pictures import CroppedPictures, load_any_shape

SHEET = 12


def main() -> None:
    options = parse()
    snapshot = open_snapshot(options.snapshot)
    translator = load(snapshot.path)
    photos, style, train = (
        squares(source, options.side, split)
        for source, split in ((options.data, "test"), (options.style, "test"), (options.style, "train"))
    )
    translated = translate(translator, photos)
    measured = {
        "photos": float(len(photos)),
        "edge_preservation": edge_preservation(photos, translated),
        "saturation_kept": saturation_kept(photos, translated),
        "style_distance": style_distance(translated, train),
        "style_distance_floor": style_distance(style, train),
        "style_distance_photos": style_distance(photos, train),
        "swd": mean_distance(translated, train[: len(translated)]),
        "swd_photos": mean_distance(photos, train[: len(photos)]),
    }
    backward = list_snapshots(snapshot.path.parent.parent, BACKWARD)
    if backward:
        measured["cycle_l1"] = cycle_l1(photos, translate(load(backward[-1]), translated))

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / MEASURED_FILE).write_text(json.dumps(measured, indent=2) + "\n")
    write_sheet(translator, options, options.out / PAINTED_FILE)
    for name, value in measured.items():
        print(f"{name:24} {value:.4g}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--side", type=int, default=256)
    return parser.parse_args()


def load(path: Path) -> nn.Module:
    snapshot = open_snapshot(path)
    translator = ResnetTranslator(**snapshot.generator_kwargs)
    translator.load_state_dict(snapshot.tensors())
    return translator.eval().requires_grad_(False)


def squares(source: Path, side: int, split: str) -> Tensor:
    """The central squares of a split: [N, 3, side, side] in -1..1."""
    pictures = load_any_shape(source, side, side, split)
    return CroppedPictures(pictures, crop=side, smallest=1.0, seed=(0, 0), device=torch.device("cpu")).centres(10**6)


def folder_squares(folder: Path, side: int) -> Tensor:
    """The same of every JPEG in a folder, whatever an index there says."""
    pictures = [
        ImageOps.fit(read_rgb(path.read_bytes(), path.name), (side, side)) for path in sorted(folder.glob("*.jpg"))
    ]
    # 0..255 => [-1, 1]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def translate(translator: nn.Module, photos: Tensor) -> Tensor:
    return torch.cat([translator(part) for part in photos.split(4)])


def mean_distance(a: Tensor, b: Tensor) -> float:
    levels = sliced_wasserstein(a, b)
    return sum(levels.values()) / len(levels)


def write_sheet(translator: nn.Module, options: argparse.Namespace, path: Path) -> None:
    photos = squares(options.data, options.side, "test")
    if options.sheet is not None:
        others = folder_squares(options.sheet, options.side)
        photos = torch.cat([spread(photos, SHEET // 2), spread(others, SHEET // 2)])
    photos = spread(photos, SHEET)
    rows = [row for part in photos.split(6) for row in (part, translate(translator, part))]
    grid = path.with_suffix(".png")
    save_grid(grid, torch.cat(rows), 6)
    with Image.open(grid) as drawn:
        drawn.convert("RGB").save(path, quality=92)
    grid.unlink()


def spread(pictures: Tensor, count: int) -> Tensor:
    return pictures[[i * len(pictures) // count for i in range(count)]]


if __name__ == "__main__":
    main()
