"""personne sample: the faces of given seeds as files, or on one sheet. The worker's own task draws them."""

import contextlib
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
from models.latents import SEED_LIMIT
from personne.errors import BadMovement, BadSeeds
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.generate import GenerateTask

SHEET_COLUMNS = 10
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
) -> int:
    """Draw the faces of `seeds` ("0-63", "1,5,9-12"), in all else as `pattern` asks: into the folder `out`, a file a
    seed, marked as the service's, or as one sheet in the file `out`. Returns how many. Raises BadSeeds.
    """
    wanted = parse_seeds(seeds)
    pictures = draw_jobs([replace(pattern, seed=seed) for seed in wanted], entry, device=device)
    with Progress() as progress:
        shown = progress.track(pictures, total=len(wanted), description=entry.manifest.name)
        if grid:
            out.parent.mkdir(parents=True, exist_ok=True)
            save_sheet(shown, SHEET_COLUMNS, out)
        else:
            out.mkdir(parents=True, exist_ok=True)
            task = GenerateTask(stamp, lambda _: entry.manifest.name)
            for seed, picture in zip(wanted, shown, strict=True):
                body = task.finish(replace(pattern, seed=seed), picture).body
                (out / f"{seed}.{pattern.format}").write_bytes(body)
    return len(wanted)


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
