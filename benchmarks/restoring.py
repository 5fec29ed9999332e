"""Is it better than no network at all? A paired run's snapshot, measured on pictures that it never saw, for its card.

    python -m benchmarks.restoring RUN_OR_SNAPSHOT --data PHOTOS --out FOLDER [--sheet PORTRAITS]

upscale: PSNR and SSIM of pictures enlarged four times, beside Lanczos. colourise: the error of colours beside leaving
them grey, and the saturation kept. inpaint: PSNR in the hole, beside a smooth fill and the surroundings' mean colour.
Reads the test splits. Writes measured.json and painted.jpg: twelve pictures, each above what became of it and the
truth; `--sheet` takes half of them from another set.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure as ssim

from benchmarks.painting import SHEET, spread, squares
from models.networks.architectures import build
from models.networks.filling import smooth_fill
from personne.commands.model_card import MEASURED_FILE, PAINTED_FILE
from training.metrics.faithfulness import saturation_kept
from training.metrics.restoration import chroma_error, psnr
from training.run_log import save_grid
from training.snapshots import Snapshot, open_snapshot
from training.translation.pairs import TASKS, grey, shrunk

AT_ONCE = 4
COLUMNS = 6


@dataclass(frozen=True)
class Made:
    """[N, C, H, W] in -1..1. given: the network's input; found: what became of it; answer: the picture itself."""

    given: Tensor
    found: Tensor
    answer: Tensor


def main() -> None:
    options = parse()
    snapshot = open_snapshot(options.snapshot)
    task, network = opened(snapshot)
    made = restored(network, task, squares(options.data, options.side, "test"))
    measured = {"photos": float(len(made.answer)), **MEASURES[task](made)}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / MEASURED_FILE).write_text(json.dumps(measured, indent=2) + "\n")
    if options.sheet is None:
        shown = spread_all(made, SHEET)
    else:
        others = restored(network, task, spread(squares(options.sheet, options.side, "test"), SHEET // 2))
        photos = spread_all(made, SHEET // 2)
        shown = Made(*(torch.cat([getattr(part, name) for part in (photos, others)]) for name in FIELDS))
    write_sheet(shown, options.out / PAINTED_FILE)
    for name, value in measured.items():
        print(f"{name:24} {value:.4g}")


FIELDS = ("given", "found", "answer")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--side", type=int, default=256)
    return parser.parse_args()


def opened(snapshot: Snapshot) -> tuple[str, nn.Module]:
    """The task that the network learnt, and the network."""
    task = snapshot.generator_kwargs.get("task")
    if task not in MEASURES:
        raise SystemExit(f"{snapshot.path} learnt none of {', '.join(MEASURES)}; benchmarks.painting is for styles")
    network = build(snapshot.family, snapshot.generator_kwargs, snapshot.tensors())
    return task, network.eval().requires_grad_(False)


@torch.no_grad()
def restored(network: nn.Module, task: str, pictures: Tensor) -> Made:
    """What the network makes of inputs made of these pictures, always the same ones."""
    pair = TASKS[task]
    torch.manual_seed(0)
    given = pair.make_input(pictures)
    found = torch.cat([pair.compose(part, network(part)) for part in given.split(AT_ONCE)])
    return Made(given, found.clamp(-1, 1), pictures)


def of_upscale(made: Made) -> dict[str, float]:
    plain = lanczos(made.answer)
    return {
        "psnr": psnr(made.answer, made.found),
        "psnr_lanczos": psnr(made.answer, plain),
        "ssim": likeness(made.answer, made.found),
        "ssim_lanczos": likeness(made.answer, plain),
    }


def of_colourise(made: Made) -> dict[str, float]:
    return {
        "chroma_error": chroma_error(made.answer, made.found),
        "chroma_error_grey": chroma_error(made.answer, made.given),
        "saturation_kept": saturation_kept(made.answer, made.found),
    }


def of_inpaint(made: Made) -> dict[str, float]:
    hole = (made.given[:, 3:] + 1) / 2
    around = made.given[:, :3] * (1 - hole)
    mean = around.sum(dim=(2, 3), keepdim=True) / (1 - hole).sum(dim=(2, 3), keepdim=True)
    return {
        "hole_psnr": psnr(made.answer, made.found, hole),
        "hole_psnr_smooth": psnr(made.answer, smooth_fill(around, hole), hole),
        "hole_psnr_mean": psnr(made.answer, mean.expand_as(around), hole),
    }


MEASURES: dict[str, Callable[[Made], dict[str, float]]] = {
    "upscale": of_upscale,
    "colourise": of_colourise,
    "inpaint": of_inpaint,
}


def lanczos(pictures: Tensor) -> Tensor:
    """Enlarged by Pillow's Lanczos, from what the network's input was enlarged from."""
    size = (pictures.shape[3], pictures.shape[2])
    small = ((shrunk(pictures) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    large = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)) for one in small]
    return torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2).float() / 127.5 - 1  # 0..255 => [-1, 1]


def likeness(answer: Tensor, found: Tensor) -> float:
    """Mean SSIM of the luma (Wang et al. 2004)."""
    return float(torch.as_tensor(ssim(grey(found), grey(answer), data_range=2.0)))


def spread_all(made: Made, count: int) -> Made:
    return Made(*(spread(getattr(made, name), count) for name in FIELDS))


def write_sheet(made: Made, path: Path) -> None:
    """Rows of six: given, found, the truth."""
    given = made.given[:, :3]
    if made.given.shape[1] == 4:
        given = torch.where(made.given[:, 3:] > 0, torch.ones_like(given), given)
    shown = zip(*(x.split(COLUMNS) for x in (given, made.found, made.answer)), strict=True)
    rows = [row for three in shown for row in three]
    grid = path.with_suffix(".png")
    save_grid(grid, torch.cat(rows), COLUMNS)
    with Image.open(grid) as drawn:
        drawn.convert("RGB").save(path, quality=92)
    grid.unlink()


if __name__ == "__main__":
    main()
