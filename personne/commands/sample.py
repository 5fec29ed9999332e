"""personne sample: the faces of given seeds as files, or on one sheet. The worker's own task draws them."""

import contextlib
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import Progress

from jobs.contract import GenerateJob, Lane, PictureFormat
from marks.stamp import UNMARKED, Stamp
from models.abilities import MOST_DEGREES, MOST_SHIFT, label_of, movement_of, psi_of
from models.catalogue import Catalogue, ModelEntry
from models.contact_sheet import Picture, save_sheet
from models.directions import check_edits
from models.latents import SEED_LIMIT
from models.ranges import Ranges, drawn_edits, read_range
from personne.errors import BadEdits, BadMovement, BadSeeds
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.dataset import columns, label_row
from worker.tasks.generate import GenerateTask

SHEET_COLUMNS = 10
LABELS_FILE = "labels.csv"
MOST_SEEDS = 1_000_000
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def sample_faces(
    pattern: GenerateJob,
    entry: ModelEntry,
    *,
    seeds: str,
    out: Path,
    grid: bool,
    device: str,
    stamp: Stamp = UNMARKED,
    ranges: Ranges = (),
    labels: bool = False,
) -> int:
    """Draw the faces of `seeds` ("0-63", "1,5,9-12"), in all else as `pattern` asks: into the folder `out`, a file a
    seed, marked as the service's, or as one sheet in the file `out`. ranges: attributes, of which each seed draws its
    own strengths. labels: with labels.csv beside the files. Returns how many. Raises BadSeeds.
    """
    wanted = parse_seeds(seeds)
    jobs = [_moved(pattern, seed, ranges) for seed in wanted]
    pictures = draw_jobs(jobs, entry, device=device)
    with Progress() as progress:
        shown = progress.track(pictures, total=len(wanted), description=entry.manifest.name)
        if grid:
            out.parent.mkdir(parents=True, exist_ok=True)
            save_sheet(shown, SHEET_COLUMNS, out)
        else:
            out.mkdir(parents=True, exist_ok=True)
            task = GenerateTask(stamp, lambda _: entry.manifest.name)
            for job, picture in zip(jobs, shown, strict=True):
                (out / _file_of(job)).write_bytes(task.finish(job, picture).body)
            if labels:
                _write_labels(out / LABELS_FILE, jobs, ranges, entry)
    return len(wanted)


def ranges_of(texts: Sequence[str], entry: ModelEntry) -> Ranges:
    """["age=-2..2", "smile=1"] -> attributes with both ends, sorted. Raises BadEdits, NoSuchAttribute,
    AttributeOutOfRange."""
    found: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, given, strengths = text.partition("=")
        try:
            if not given or name in found:
                raise BadEdits(text)
            found[name] = read_range(strengths)
        except ValueError:
            raise BadEdits(text) from None
    for end in (0, 1):
        edits = {name: ends[end] for name, ends in found.items()}
        check_edits(entry.manifest.name, entry.directions, edits, (), entry.generator.num_ws)
    return tuple((name, *ends) for name, ends in sorted(found.items()))


def _moved(pattern: GenerateJob, seed: int, ranges: Ranges) -> GenerateJob:
    edits = drawn_edits(ranges, seed) if ranges else pattern.edits
    return replace(pattern, seed=seed, edits=edits)


def _file_of(job: GenerateJob) -> str:
    return f"{job.seed}.{job.format}"


def _write_labels(path: Path, jobs: Sequence[GenerateJob], ranges: Ranges, entry: ModelEntry) -> None:
    """As in the zip of a data set."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns(ranges, entry.generator))
        rows.writerows([_file_of(job), *label_row(ranges, job, entry.generator)] for job in jobs)


def pattern_of(
    entry: ModelEntry,
    here: Catalogue,
    *,
    truncation_psi: float | None,
    default_psi: float,
    label: str | None = None,
    rotate: float | None = None,
    translate: str | None = None,
    picture_format: PictureFormat = PictureFormat.PNG,
) -> GenerateJob:
    """What is asked of every face, checked as the web does. translate: "0.1,-0.2", shares right and down.

    Raises ModelsError, BadMovement.
    """
    across, down = _shares(translate)
    if rotate is not None and not abs(rotate) <= MOST_DEGREES:
        raise BadMovement
    degrees, across, down = movement_of(rotate, across, down, entry, here)
    return GenerateJob(
        model=entry.manifest.digest,
        seed=0,
        truncation_psi=psi_of(truncation_psi, default_psi, entry, here),
        size=entry.generator.resolution,
        format=picture_format,
        label=label_of(label, entry, here),
        rotate=degrees,
        translate_x=across,
        translate_y=down,
    )


def draw_faces(
    entry: ModelEntry, seeds: Sequence[int], truncation_psi: float, *, device: str = "auto"
) -> Iterator[Picture]:
    """The faces of these seeds, in their order, as the service draws them: [R, R, 3] uint8 each.

    truncation_psi: of models that have something to truncate.
    """
    alone = Catalogue({entry.manifest.name: entry})
    pattern = pattern_of(entry, alone, truncation_psi=None, default_psi=truncation_psi)
    return draw_jobs([replace(pattern, seed=seed) for seed in seeds], entry, device=device)


def draw_jobs(jobs: Sequence[GenerateJob], entry: ModelEntry, *, device: str = "auto") -> Iterator[Picture]:
    """The pictures of jobs for one model, in their order, as the network leaves them: [R, R, 3] uint8 each."""
    task = GenerateTask(directions_of=lambda _: entry.directions)
    with opened_generator(entry, device) as (model, batch):
        for start in range(0, len(jobs), batch):
            yield from task.run(task.prepare(jobs[start : start + batch], model), model)


@contextlib.contextmanager
def opened_generator(entry: ModelEntry, device: str) -> Iterator[tuple[LoadedGenerator, int]]:
    """The model's engines, and how many pictures they should draw at once."""
    config = WorkerConfig(worker_id="sample", device=device, models=[entry.manifest.name])
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), config)
    models.open()
    try:
        with models.held(entry.manifest.digest) as model:
            if not isinstance(model, LoadedGenerator):
                raise TypeError(f"this is a bug: {entry.manifest.name} was opened as {type(model).__name__}")
            yield model, models.batch_limit(entry.manifest.digest, Lane.SLOW)
    finally:
        models.close()


def parse_seeds(text: str) -> list[int]:
    """ "0-2,7" -> [0, 1, 2, 7]. Raises BadSeeds."""
    seeds: list[int] = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise BadSeeds(text)
        first = int(match[1])
        last = int(match[2] or first)
        if not first <= last < SEED_LIMIT or len(seeds) + last - first >= MOST_SEEDS:
            raise BadSeeds(text)
        seeds.extend(range(first, last + 1))
    return seeds


def _shares(text: str | None) -> tuple[float | None, float | None]:
    """ "0.1,-0.2" -> (0.1, -0.2). Raises BadMovement."""
    if text is None:
        return None, None
    try:
        across, down = (float(part) for part in text.split(","))
    except ValueError:
        raise BadMovement from None
    if not (abs(across) <= MOST_SHIFT and abs(down) <= MOST_SHIFT):
        raise BadMovement
    return across, down
