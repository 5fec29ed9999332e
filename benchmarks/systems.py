"""Every system of the family, trained alike, measured alike: the table of docs/training.md.

    python -m benchmarks.systems --data PICTURES --out FOLDER [--images 100000] [--resolution 64] [--only dcgan pggan]

Trains each by its command's preset for this device, for the same number of images, exports it into FOLDER/store,
measures it with `personne evaluate` against PICTURES, and writes FOLDER/systems.md, a row for each, and
FOLDER/systems.jpg, ten faces of each in the order of the rows. What is trained already goes on from where it is; what
is finished and measured is not repeated. Some rows train on a part of PICTURES: without one source, or a few of them.
"""

import argparse
import csv
import json
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from personne.commands.model_card import FLOOR
from training.picture_files import INDEX_NAME, TRAIN


@dataclass(frozen=True)
class System:
    """A row: the command, its preset with changes, and how the schedule shrinks with the budget."""

    title: str
    command: str
    preset: str | None
    growing_levels: int = 0
    labelled: bool = False
    changes: tuple[str, ...] = ()
    without: str | None = None
    """What the source of a picture must not begin with."""
    first: int | None = None
    """So many training pictures alone, drawn at random."""


SYSTEMS = {
    "stylegan2": System("StyleGAN2", "faces", None),
    "stylegan2_congress": System("StyleGAN2, without UK portraits", "faces", None, without="UK Parliament"),
    "stylegan2_500": System("StyleGAN2, 500 pictures", "faces", None, first=500),
    "stylegan2_published": System("StyleGAN2, augmented as published", "faces", None, changes=("augment=upright",)),
    "conditional_stylegan2": System(
        "Conditional StyleGAN2", "faces", None, labelled=True, changes=("conditional=true",)
    ),
    "stylegan1": System("StyleGAN", "stylegan1", None, 3),
    "pggan": System("Progressive GAN", "pggan", None, 4),
    "dcgan": System("DCGAN", "dcgan", None),
    "conditional_dcgan": System("Conditional DCGAN", "dcgan", "conditional_dcgan", labelled=True),
    "vae": System("VAE", "autoencoder", "variational"),
    "autoencoder": System("Autoencoder", "autoencoder", "autoencoder"),
    "adversarial_autoencoder": System("Adversarial autoencoder", "autoencoder", "adversarial"),
}
GROWN_AFTER = 0.5
"""Share of the images that growing networks take to reach their full resolution."""


COLUMNS = ("swd", "kid_self", "ms_ssim_ratio", "precision", "recall", "density", "coverage", "closest_ratio")
SHOWN = 10
"""Faces of each system side by side: the first row of its own sheet."""


def main() -> None:
    options = parse()
    rows = []
    for name in options.only or [name for name, system in SYSTEMS.items() if options.labelled or not system.labelled]:
        rows.append(row_of(name, SYSTEMS[name], options))
        write_table(options.out / "systems.md", rows)
        write_sheet(options.out / "systems.jpg", rows)


def row_of(name: str, system: System, options: argparse.Namespace) -> dict[str, object]:
    run, store = options.out / "runs" / name, options.out / "store"
    measured = options.out / "evaluation" / name / "measured.json"
    personne("train", system.command, *training_arguments(name, system, options), "--out", str(run))
    sheet = run / "sheet.png"
    if not measured.is_file() or measured.stat().st_mtime < sheet.stat().st_mtime:
        personne("export", str(run), "--name", name, "--store", str(store))
        evaluated = ("--data", str(options.data), "--out", str(measured.parent), "--samples", str(options.samples))
        personne("evaluate", name, *evaluated, "--store", str(store))
    figures = json.loads(measured.read_text(encoding="utf-8"))
    return {"title": system.title, "hours": trained_hours(run), "sheet": sheet, **figures}


def trained_hours(run: Path) -> float:
    """What the steps took, however often the run was stopped."""
    hours, before = 0.0, 0
    for line in (run / "stats.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        hours += (row["images_seen"] - before) / row["images_per_second"] / 3600
        before = row["images_seen"]
    return hours


def part_of(data: Path, system: System, out: Path) -> Path:
    """A folder of links to some of the pictures of `data`, with an index beside it."""
    with (data.parent / INDEX_NAME).open(encoding="utf-8-sig", newline="") as file:
        every = list(csv.DictReader(file))
    rows = [row for row in every if system.without is None or not row["source"].startswith(system.without)]
    if system.first is not None:
        learnt = [row for row in rows if row["split"] == TRAIN]
        left_out = {row["file"] for row in random.Random(0).sample(learnt, len(learnt) - system.first)}
        rows = [row for row in rows if row["file"] not in left_out]
    if len(rows) == len(every):
        raise SystemExit(f"no picture of {data} has a source that begins with {system.without!r}")
    folder = out / data.name
    shutil.rmtree(out, ignore_errors=True)
    folder.mkdir(parents=True)
    for row in rows:
        (folder / row["file"]).symlink_to((data / row["file"]).absolute())
    with (out / INDEX_NAME).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def training_arguments(name: str, system: System, options: argparse.Namespace) -> list[str]:
    data = options.labelled if system.labelled else options.data
    if system.without is not None or system.first is not None:
        data = part_of(options.data, system, options.out / "parts" / name)
    arguments = ["--data", str(data), "--resolution", str(options.resolution), "--images", str(options.images)]
    arguments += ["--device", options.device]
    if system.preset is not None:
        arguments += ["--preset", system.preset]
    changes = [*system.changes, f"snapshot_every_images={max(options.images // 4, 1)}"]
    if system.growing_levels:
        changes.append(f"phase_images={max(int(options.images * GROWN_AFTER / (2 * system.growing_levels)), 1)}")
    for change in changes:
        arguments += ["--set", change]
    return arguments


def personne(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "personne", *arguments], check=True)


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    """Markdown: a row a system, and what real pictures have against real ones."""
    lines = ["| system | hours | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    for row in rows:
        cells = [f"{row[name]:.3g}" for name in COLUMNS]
        lines.append(f"| {row['title']} | {row['hours']:.2f} | " + " | ".join(cells) + " |")
    floors = [f"{rows[-1][name + FLOOR]:.3g}" if name + FLOOR in rows[-1] else "" for name in COLUMNS]
    lines.append("| (portraits against portraits) | | " + " | ".join(floors) + " |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_sheet(path: Path, rows: list[dict[str, object]]) -> None:
    strips = []
    for row in rows:
        with Image.open(str(row["sheet"])) as sheet:
            side = sheet.width // SHOWN
            strips.append(sheet.convert("RGB").crop((0, 0, side * SHOWN, side)))
    together = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)))
    for place, strip in enumerate(strips):
        together.paste(strip, (0, place * strip.height))
    together.save(path, quality=88)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labelled", type=Path, help="the same as a zip with labels, for those that learn classes")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", nargs="+", choices=list(SYSTEMS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
