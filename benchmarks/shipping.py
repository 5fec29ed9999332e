"""From a training run to the model that ships, with all that hangs on it: one command, which goes on where it stopped.

    python -m benchmarks.shipping RUN --out FOLDER [--encoder-from RUN] [--encoder-images N] [--install]

RUN is a run of `personne train faces`, or one snapshot of it. FOLDER becomes a store with the model in FOLDER/faces,
pictures for the documents in FOLDER/images and figures in FOLDER/figures.md. Nothing is installed unless asked.
"""

import argparse
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import shipping_stages as stages
from models.catalogue import BUNDLED, ModelEntry, find_models
from training.snapshots import list_snapshots

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Stage:
    """A part of the work, by its name in notes and options."""

    name: str
    work: Callable[[ModelEntry], object]


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    exported(options)
    for stage in plan(options):
        done(stage, options)
    told(options)
    if options.install:
        installed(options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="faces")
    parser.add_argument("--noise", type=float, default=0.5, help="as of `personne export`")
    parser.add_argument("--facts", type=Path, default=ROOT / "docs" / "cards" / "faces.json")
    parser.add_argument("--data", type=Path, default=SHARED / "faces" / "128", help="aligned portraits, with an index")
    parser.add_argument("--detector", type=Path, default=SHARED / "tools" / "face_detection_yunet_2023mar.onnx")
    parser.add_argument("--samples", type=int, default=1241, help="faces that are measured at psi 1")
    parser.add_argument("--found-in", type=int, default=6000, help="faces in which directions are looked for")
    parser.add_argument("--encoder-run", type=Path, help="FOLDER/encoder-DIGEST unless given")
    parser.add_argument("--encoder-from", type=Path, help="a run of an encoder for an earlier snapshot")
    parser.add_argument("--encoder-images", type=int, default=24_000)
    parser.add_argument("--skip", default="", help="stages to leave out, by commas")
    parser.add_argument("--only", default="", help="stages to do and no others, by commas")
    parser.add_argument("--again", default="", help="stages to do although they are done, by commas")
    parser.add_argument("--install", action="store_true", help="put model and pictures into the repository")
    parser.add_argument(
        "--anyway", action="store_true", help="install what measures worse than the bundled one too, or is not all done"
    )
    return parser.parse_args()


def every(options: argparse.Namespace) -> list[Stage]:
    """What follows the export, in order. Evaluation writes the card's end anew, so directions are measured after it."""
    out, images = options.out, options.out / "images"
    return [
        Stage("checked", partial(stages.check, options=options)),
        Stage("evaluated", partial(stages.measure, options=options)),
        Stage("directions", partial(stages.find, samples=options.found_in)),
        Stage("directions-measured", stages.measure_moves),
        Stage("encoder", partial(stages.train, options=options)),
        Stage("images", partial(stages.draw, images=images)),
        Stage("reconstructions", partial(stages.reconstruct, images=images, data=options.data, out=out)),
    ]


def plan(options: argparse.Namespace) -> list[Stage]:
    """Those of them that are asked for."""
    skipped, only = set(options.skip.split(",")), set(filter(None, options.only.split(",")))
    return [stage for stage in every(options) if stage.name not in skipped and (not only or stage.name in only)]


def exported(options: argparse.Namespace) -> None:
    """The model's folder, unless it is that of this very snapshot already."""
    snapshot = options.run if options.run.is_file() else list_snapshots(options.run)[-1]
    content = hashlib.sha256(snapshot.read_bytes() + options.facts.read_bytes()).hexdigest()
    wanted = {"snapshot": snapshot.name, "sha256": content, "noise": options.noise}
    kept = options.out / "exported.json"
    if kept.is_file() and json.loads(kept.read_text()) == wanted and "export" not in options.again.split(","):
        print(f"export: done before, of {snapshot.name}", flush=True)
        return
    started = Clock()
    folder = options.out / options.name
    # What another snapshot left would be taken for this one's.
    shutil.rmtree(folder, ignore_errors=True)
    stages.export(snapshot, folder, options)
    kept.write_text(json.dumps(wanted, indent=1) + "\n")
    note(options, "export", started)


def done(stage: Stage, options: argparse.Namespace) -> None:
    """Do a stage unless it is noted as done for the model's digest."""
    entry = entry_of(options)
    if stage.name in notes(options) and stage.name not in options.again.split(","):
        print(f"{stage.name}: done before, for {entry.manifest.digest}", flush=True)
        return
    print(f"{stage.name} ...", flush=True)
    started = Clock()
    stage.work(entry)
    note(options, stage.name, started)


def entry_of(options: argparse.Namespace) -> ModelEntry:
    return find_models(options.out).named(options.name)


class Clock:
    """Since when: by the clock and of the processor, child processes included."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), self._used()

    def read(self) -> dict[str, float]:
        return {
            "seconds": round(time.perf_counter() - self._wall, 1),
            "cpu_seconds": round(self._used() - self._cpu, 1),
        }

    @staticmethod
    def _used() -> float:
        return sum(os.times()[:4])


def notes(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """What was done for the model that is there, and how long it took."""
    path = _notes_file(options)
    found: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def note(options: argparse.Namespace, name: str, started: Clock) -> None:
    written = notes(options) | {name: started.read()}
    _notes_file(options).write_text(json.dumps(written, indent=1) + "\n")
    print(
        f"{name}: {written[name]['seconds']:.0f} s, {written[name]['cpu_seconds']:.0f} s of processor time", flush=True
    )


def _notes_file(options: argparse.Namespace) -> Path:
    path: Path = options.out / f"done-{entry_of(options).manifest.digest}.json"
    return path


def told(options: argparse.Namespace) -> None:
    """What a person should look at, and how large the model became."""
    entry = entry_of(options)
    stages.write_figures(entry, options.out, notes(options))
    size = sum(path.stat().st_size for path in entry.folder.rglob("*") if path.is_file())
    print(f"{entry.manifest.name} {entry.manifest.digest}: {size / 1e6:.1f} MB in {entry.folder}")
    print(f"look at {entry.folder / 'sheet.jpg'}, {entry.folder / 'nearest.jpg'}, {options.out / 'images'}")
    print(f"figures for the documents: {options.out / stages.FIGURES}")


def installed(options: argparse.Namespace) -> None:
    """Put the model in place of the bundled one of its name, and the pictures beside the documents."""
    entry, target = entry_of(options), BUNDLED / options.name
    missing = {stage.name for stage in every(options)} - notes(options).keys()
    if missing and not options.anyway:
        raise SystemExit(f"not installed: {', '.join(sorted(missing))} is not done")
    if not stages.is_faces(entry, options.out):
        raise SystemExit(f"not installed: fewer than {stages.LEAST_FACES:.0%} of its pictures are faces to a detector")
    if (worse := stages.worse_than(entry, target)) and not options.anyway:
        raise SystemExit(f"not installed: {worse} (--anyway)")
    beside = target.with_name(f".{target.name}-new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(entry.folder, beside)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    for picture in sorted((options.out / "images").glob("*.jpg")):
        shutil.copyfile(picture, ROOT / "docs" / "images" / picture.name)
    print(f"installed in {target}; the pictures in docs/images")


if __name__ == "__main__":
    main()
