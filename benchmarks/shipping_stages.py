"""The parts of benchmarks.shipping: each makes one thing of a model anew."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faces import face_share
from benchmarks.inversion import ENCODER, HYBRID, held_out, sheet, tried
from benchmarks.shares import farthest, shares, table
from models.catalogue import Catalogue, ModelEntry
from models.contact_sheet import Picture
from models.manifest import MANIFEST_FILE, read_manifest
from personne.commands.attribute_directions import find_attributes
from personne.commands.directions_sheet import save_directions_sheet
from personne.commands.drawn_pictures import Drawn, draw_samples
from personne.commands.evaluate import Wish, evaluate, put_into_card
from personne.commands.export_model import ExportOptions, export_run
from personne.commands.latent_faces import opened_faces
from personne.commands.measure_directions import MEASURED_FILE as MOVED_FILE
from personne.commands.measure_directions import measure_directions
from personne.commands.model_card import FLOOR, MEASURED_FILE
from personne.commands.sample import draw_faces
from personne.commands.train_encoder import train_encoder
from personne.progress import shown_count
from worker.config import WorkerConfig
from worker.inverters import Inverters
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels

FIGURES = "figures.md"
CHECK_FILE, RECONSTRUCTED_FILE = "check.json", "reconstructed.json"
CHECKED, PSI, VARIED = 1000, 0.7, 1.0
LEAST_FACES = 0.98
SHOWN = ("smile", "age", "gender", "pose", "glasses", "beard")
"""On the documents' sheet, of those that there are."""
SEEDS = range(8)
PEOPLE, ASKED = 8, 138
"""Portraits on the sheet of reconstructions; those that the encoder is asked for."""
STATE_EVERY = 2_000
"""Pictures of the encoder's run: what is killed has lost a minute or two."""
REFINED = {"learning_rate": 4e-4, "own_share": 0.1}
"""Of an encoder that begins with another one's: it knows the way already."""


def export(snapshot: Path, folder: Path, options: argparse.Namespace) -> None:
    """Graphs, manifest, sheet, card, spare faces."""
    how = ExportOptions(noise=options.noise)
    export_run(snapshot, name=options.name, store=options.out, out=folder, facts_file=options.facts, options=how)


def check(entry: ModelEntry, options: argparse.Namespace) -> None:
    """Faces that a detector finds, and shares of what they show."""
    with shown_count("drawing faces", CHECKED + options.samples) as advance:
        likely = []
        for picture in draw_faces(entry, range(CHECKED), PSI, device="cpu"):
            likely.append(picture)
            advance(1)
        drawn = Drawn(entry, VARIED, entry.generator.resolution, "cpu")
        # The evaluation finds them there.
        kept = draw_samples(drawn, options.samples, keep=evaluation(entry, options), advance=advance)
    varied: list[Picture] = list(kept.permute(0, 2, 3, 1).numpy())[:CHECKED]
    found: dict[str, Any] = {
        "face_share": face_share(likely, options.detector),
        "face_share_psi_1": face_share(varied, options.detector),
        "shares": shares({PSI: likely, VARIED: varied}, options.data, entry.generator.resolution),
    }
    _file(options.out, CHECK_FILE, entry).write_text(json.dumps(found, indent=1) + "\n")
    print(f"exactly one face: {found['face_share']:.1%} at psi {PSI}, {found['face_share_psi_1']:.1%} at 1")
    print(table(found["shares"]))


def is_faces(entry: ModelEntry, out: Path) -> bool:
    """Whether a detector found faces in enough of the pictures."""
    return bool(_read(out, CHECK_FILE, entry).get("face_share", 0) >= LEAST_FACES)


def worse_than(entry: ModelEntry, bundled: Path) -> str:
    """A sentence, where the kernel distance to the portraits is larger than that of the bundled model."""
    if not (bundled / MANIFEST_FILE).is_file():
        return ""
    old, new = read_manifest(bundled).metrics.get("kid_self"), entry.manifest.metrics.get("kid_self")
    if old is None or new is None or new <= old:
        return ""
    return f"its kid_self is {new:.1f}, that of the bundled model {old:.1f}"


def measure(entry: ModelEntry, options: argparse.Namespace) -> None:
    """`personne evaluate --card`, and what was checked, in the card."""
    folder = evaluation(entry, options)
    wish = Wish(samples=options.samples, psi=VARIED, device="cpu")
    evaluate(entry, data=options.data, test=None, out=folder, wish=wish, say=print)
    measured = json.loads((folder / MEASURED_FILE).read_text())
    if share := _read(options.out, CHECK_FILE, entry).get("face_share"):
        (folder / MEASURED_FILE).write_text(json.dumps({**measured, "face_share": share}, indent=2) + "\n")
    put_into_card(entry, folder)


def evaluation(entry: ModelEntry, options: argparse.Namespace) -> Path:
    """The folder of the model's report."""
    folder: Path = options.out / f"evaluation-{entry.manifest.digest}"
    folder.mkdir(exist_ok=True)
    return folder


def find(entry: ModelEntry, *, samples: int) -> None:
    """`personne directions attributes`."""
    for one in find_attributes(entry, "cpu", samples).values():
        print(f"{one.name}: {one.low:g} to {one.high:g}, {one.accuracy or 0:.1%}, {one.measure}")


def measure_moves(entry: ModelEntry) -> None:
    """`personne directions measure`: it writes into the card's end."""
    for one in measure_directions(entry, "cpu"):
        print(f"{one.name}: {one.own:+.2f} own, {one.ratio:.1f} times the largest other")


def train(entry: ModelEntry, *, options: argparse.Namespace) -> None:
    """`personne train encoder`, and both graphs of inversion."""
    run = options.encoder_run or options.out / f"encoder-{entry.manifest.digest}"
    how: dict[str, Any] = {"total_images": options.encoder_images, "state_every_images": STATE_EVERY}
    if options.encoder_from is not None:
        how |= {"init_from": options.encoder_from, **REFINED}
    train_encoder(entry, data=options.data, out=run, options=how)


def draw(entry: ModelEntry, *, images: Path) -> None:
    """The documents' sheet of directions."""
    images.mkdir(exist_ok=True)
    with opened_faces(entry, "cpu") as faces:
        chosen = [entry.directions[name] for name in SHOWN if name in entry.directions]
        save_directions_sheet(faces, chosen, images / "directions.jpg", SEEDS)


def reconstruct(entry: ModelEntry, *, images: Path, data: Path, out: Path) -> None:
    """The documents' sheet of portraits, what the encoder and what the hybrid make of them; the encoder's errors."""
    images.mkdir(exist_ok=True)
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), WorkerConfig(worker_id="shipping", device="cpu"))
    models.open()
    try:
        with models.held(entry.manifest.digest) as model:
            if not isinstance(model, LoadedGenerator):
                raise SystemExit(f"{entry.manifest.name} is no generator of faces")
            inverter = Inverters(WorkerConfig(worker_id="shipping", device="cpu"), models.entry_of).inverter(model)
            many = held_out(data.parent, model.manifest.resolution, ASKED)
            few = many[:: len(many) // PEOPLE][:PEOPLE]
            encoder = tried(ENCODER, inverter, many)
            ways = [tried(way, inverter, few) for way in (ENCODER, HYBRID)]
    finally:
        models.close()
    sheet([few, *(way.pictures for way in ways)], images / "inversion.jpg")
    told = {
        "encoder_median": float(np.median(encoder.errors)),
        "hybrid_median": float(np.median(ways[1].errors)),
        "hybrid_worst": max(ways[1].errors),
    }
    _file(out, RECONSTRUCTED_FILE, entry).write_text(json.dumps(told, indent=1) + "\n")
    print(told)


def write_figures(entry: ModelEntry, out: Path, times: dict[str, dict[str, float]]) -> None:
    """All figures of the model in one file, in the form that the documents have them."""
    parts = [f"# {entry.manifest.name} {entry.manifest.digest}"]
    if checked := _read(out, CHECK_FILE, entry):
        name, points = farthest(checked["shares"], f"psi {VARIED:g}")
        parts += [
            f"Exactly one face: {checked['face_share']:.1%} at psi {PSI}, {checked['face_share_psi_1']:.1%} at 1.",
            table(checked["shares"]),
            f"Farthest from the portraits at psi 1: {name}, {points:+.0f} points.",
        ]
    metrics = entry.manifest.metrics
    floors = {name: f"{metrics[name + FLOOR]:.4g}" for name in metrics if name + FLOOR in metrics}
    plain = {name: value for name, value in metrics.items() if not name.endswith(FLOOR)}
    rows = [f"| {name} | {value:.4g} | {floors.get(name, '')} |" for name, value in plain.items()]
    parts.append("\n".join(["| figure | value | floor |", "|---|---|---|", *rows]))
    moved = entry.folder / MOVED_FILE
    if moved.is_file():
        directions = json.loads(moved.read_text())["directions"]
        parts.append("\n".join(f"- {one['name']}: {one['own']:+.2f}, {one['ratio']} times" for one in directions))
    if found := _read(out, RECONSTRUCTED_FILE, entry):
        parts.append("\n".join(f"- {name}: {value:.1f}" for name, value in found.items()))
    spent = [f"| {name} | {one['seconds']:.0f} | {one['cpu_seconds']:.0f} |" for name, one in times.items()]
    parts.append("\n".join(["| stage | seconds | of the processor |", "|---|---|---|", *spent]))
    (out / FIGURES).write_text("\n\n".join(parts) + "\n")


def _file(out: Path, name: str, entry: ModelEntry) -> Path:
    return out / f"{entry.manifest.digest}-{name}"


def _read(out: Path, name: str, entry: ModelEntry) -> dict[str, Any]:
    path = _file(out, name, entry)
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found
