"""Every system of the family, trained alike, measured alike: the table of docs/training.md.

    python -m benchmarks.systems --data PICTURES --out FOLDER [--images 100000] [--resolution 64] [--only dcgan pggan]

Trains each by its command's preset for this device, for the same number of images, exports it into FOLDER/store,
measures it with `personne evaluate`, and writes FOLDER/systems.md with a row and a sheet for each. What is trained
already goes on from where it is; what is finished is not repeated.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class System:
    """A row: the command, its preset with changes, and how the schedule shrinks with the budget."""

    title: str
    command: str
    preset: str | None
    growing_levels: int = 0
    labelled: bool = False
    changes: tuple[str, ...] = ()


SYSTEMS = {
    "stylegan2": System("StyleGAN2", "faces", None),
    "stylegan2_adaptive": System("StyleGAN2, adaptive", "faces", "faces_adaptive"),
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


def main() -> None:
    options = parse()
    rows = []
    for name in options.only or [name for name, system in SYSTEMS.items() if options.labelled or not system.labelled]:
        rows.append(row_of(name, SYSTEMS[name], options))
        write_table(options.out / "systems.md", rows)


def row_of(name: str, system: System, options: argparse.Namespace) -> dict[str, object]:
    run, store = options.out / "runs" / name, options.out / "store"
    begun = time.monotonic()
    personne("train", system.command, *training_arguments(system, options), "--out", str(run))
    hours = (time.monotonic() - begun) / 3600
    personne("export", str(run), "--name", name, "--store", str(store))
    report = options.out / "evaluation" / name
    evaluated = ("--data", str(options.data), "--out", str(report), "--samples", str(options.samples))
    personne("evaluate", name, *evaluated, "--store", str(store))
    shutil.copyfile(run / "sheet.png", options.out / f"{name}.png")
    figures = json.loads((report / "measured.json").read_text(encoding="utf-8"))
    return {"title": system.title, "hours": hours, "sheet": f"{name}.png", **figures}


def training_arguments(system: System, options: argparse.Namespace) -> list[str]:
    data = options.labelled if system.labelled else options.data
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
    """Markdown: a row a system, the figures that any of them has, and the sheets below."""
    names = [name for row in rows for name, value in row.items() if isinstance(value, int | float)]
    columns = list(dict.fromkeys(names))
    lines = ["| system | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        cells = [f"{row[name]:.3g}" if name in row else "" for name in columns]
        lines.append(f"| {row['title']} | " + " | ".join(cells) + " |")
    lines += [line for row in rows for line in ("", f"{row['title']}:", "", f"![{row['title']}]({row['sheet']})")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


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
