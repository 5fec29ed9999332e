"""From faces back to latents: how close, how fast, on generated faces and on portraits that no network has seen.

    python -m benchmarks.inversion [--model faces] [--faces ../shared/data/faces] [--people 24] [--sheet FILE]
                                   [--portraits-only]

Errors are roots of mean squared differences in levels of 255, at the model's size. Times are medians of the very calls
that a worker makes: by the clock, and of all processor cores together, which says more on a machine that is not idle.
"""

import argparse
import csv
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from models.abilities import Method, Space
from models.catalogue import Catalogue, find_models
from models.contact_sheet import contact_sheet
from models.engines.engine import Array
from models.inversion import Inverter
from models.latents import seed_to_z
from worker.config import WorkerConfig
from worker.inverters import Inverters
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels

FACES = Path(__file__).parents[2] / "shared" / "data" / "faces"
RIVALS, OWN = 1000, 200
"""Random faces that the encoder's picture must be closer than, and generated faces that it is asked for."""
PSI = 0.7
SHOWN = 10
LONG = 500


class Asked(NamedTuple):
    """A way back. steps: None for the usual number."""

    name: str
    method: Method
    space: Space = Space.W_PLUS
    steps: int | None = None


ENCODER, HYBRID = Asked("encoder", Method.ENCODER), Asked("hybrid", Method.HYBRID)
WAYS = (ENCODER, HYBRID, Asked("descent in W", Method.DESCENT, Space.W), Asked("descent in W+", Method.DESCENT))
LONG_WAYS = tuple(way._replace(name=f"{way.name}, {LONG}", steps=LONG) for way in WAYS[2:])


class Way(NamedTuple):
    """What one way made of every face."""

    name: str
    pictures: list[Array]
    errors: list[float]
    seconds: list[float]
    cpu_seconds: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="faces")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--faces", type=Path, default=FACES)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--portraits-only", action="store_true", help="leave generated faces out")
    options = parser.parse_args()
    entry = find_models(options.store).named(options.model)
    config = WorkerConfig(worker_id="benchmark", device="cpu")
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), config)
    models.open()
    with models.held(entry.manifest.digest) as model:
        if not isinstance(model, LoadedGenerator):
            raise SystemExit(f"{options.model} is no generator of faces")
        inverter = Inverters(config, models.entry_of).inverter(model)
        if not options.portraits_only:
            generated(model, inverter)
        portraits = held_out(options.faces, model.manifest.resolution, options.people)
        ways = [tried(asked, inverter, portraits) for asked in (*WAYS, *LONG_WAYS)]
        told(f"{len(portraits)} portraits of people whom no network has seen", ways)
        for long in ways[len(WAYS) :]:
            compared(ways[1], long)
        if options.sheet is not None:
            rows = [portraits[:SHOWN], *(way.pictures[:SHOWN] for way in ways[:2]), ways[3].pictures[:SHOWN]]
            sheet(rows, options.sheet)
    models.close()


def generated(model: LoadedGenerator, inverter: Inverter) -> None:
    """How often the encoder's picture of a generated face is closer to it than any of RIVALS random ones."""
    rivals = np.stack(drawn(model, range(10_000, 10_000 + RIVALS))).astype(np.float32).reshape(RIVALS, -1)
    faces = drawn(model, range(OWN))
    way = tried(ENCODER, inverter, faces)
    nearest = [float(np.sqrt(np.square(rivals - face.reshape(-1)).mean(1).min())) for face in faces]
    closer = float(np.mean([own < other for own, other in zip(way.errors, nearest, strict=True)]))
    print(f"{OWN} generated faces (psi {PSI}), against the nearest of {RIVALS} random ones")
    medians = np.median(way.errors), np.median(nearest)
    print(f"  encoder closer: {closer:.1%}; its median error {medians[0]:.1f}, the nearest one's {medians[1]:.1f}")
    told("16 of them", [tried(asked, inverter, faces[:16]) for asked in WAYS])


def drawn(model: LoadedGenerator, seeds: range) -> list[Array]:
    """The faces of seeds."""
    manifest, faces = model.manifest, []
    for start in range(seeds.start, seeds.stop, 8):
        z = np.concatenate([seed_to_z(seed, manifest.z_dim) for seed in range(start, min(start + 8, seeds.stop))])
        ws = model.mapping.run({"z": z, "psi": np.full([len(z), manifest.num_ws], PSI, np.float32)})["ws"]
        faces.extend(model.synthesis.run({"ws": ws, "noise_strength": np.ones(len(z), np.float32)})["picture"])
    return faces


def held_out(source: Path, side: int, count: int) -> list[Array]:
    """Aligned portraits of the test split, evenly spaced."""
    with (source / "index.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["split"] == "test"]
    chosen = [names[i * len(names) // count] for i in range(count)]
    opened = (Image.open(source / "128" / name).convert("RGB") for name in chosen)
    return [np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS)) for picture in opened]


def tried(asked: Asked, inverter: Inverter, faces: list[Array]) -> Way:
    way = Way(asked.name, [], [], [], [])
    for face in faces:
        started, worked = time.perf_counter(), time.process_time()
        found = inverter.find(face, asked.method, asked.space, steps=asked.steps, step=lambda _: None)
        way.seconds.append(time.perf_counter() - started)
        way.cpu_seconds.append(time.process_time() - worked)
        way.pictures.append(found.picture)
        way.errors.append(found.error)
    return way


def told(title: str, ways: list[Way]) -> None:
    print(title)
    for way in ways:
        print(
            f"  {way.name:18} error: median {np.median(way.errors):5.1f}, worst {max(way.errors):5.1f}; "
            f"{np.median(way.seconds):6.3f} s a face, {np.median(way.cpu_seconds):6.3f} s of processor time",
            flush=True,
        )


def compared(hybrid: Way, descent: Way) -> None:
    """What is asked of the hybrid: at most the descent's error, in a tenth of its time."""
    no_worse = sum(one <= other for one, other in zip(hybrid.errors, descent.errors, strict=True))
    share = sum(hybrid.cpu_seconds) / sum(descent.cpu_seconds)
    farther = np.mean(hybrid.errors) - np.mean(descent.errors)
    print(
        f"  {hybrid.name} against {descent.name}: no worse on {no_worse} of {len(hybrid.errors)}, "
        f"{farther:+.2f} levels on average, in {share:.3f} of its processor time"
    )


def sheet(rows: list[list[Array]], path: Path) -> None:
    """A row of faces above what each way made of them."""
    faces = [Image.fromarray(face).resize((128, 128), Image.Resampling.LANCZOS) for row in rows for face in row]
    pictures = [np.asarray(face) for face in faces]
    path.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(pictures, len(rows[0])).save(path, quality=90)


if __name__ == "__main__":
    main()
