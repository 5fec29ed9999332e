"""personne sample: the faces of given seeds as files, or on one sheet. The worker's own task draws them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import Progress

from jobs.contract import GenerateJob, PictureFormat
from models.catalogue import Catalogue, ModelEntry
from models.contact_sheet import Picture, save_sheet
from models.latents import SEED_LIMIT
from personne.errors import BadSeeds
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModel, LoadedModels
from worker.pictures import encoded
from worker.tasks.generate import GenerateTask

BATCH = 8
SHEET_COLUMNS = 10
MOST_SEEDS = 1_000_000
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def sample_faces(
    entry: ModelEntry,
    *,
    seeds: str,
    out: Path,
    truncation_psi: float,
    picture_format: PictureFormat,
    grid: bool,
    device: str,
) -> int:
    """Draw the faces of `seeds` ("0-63", "1,5,9-12"): into the folder `out`, a file a seed, or as one sheet in the file
    `out`. Returns how many. Raises BadSeeds.
    """
    wanted = parse_seeds(seeds)
    pictures = draw_faces(entry, wanted, truncation_psi, device=device)
    with Progress() as progress:
        shown = progress.track(pictures, total=len(wanted), description=entry.manifest.name)
        if grid:
            out.parent.mkdir(parents=True, exist_ok=True)
            save_sheet(shown, SHEET_COLUMNS, out)
        else:
            out.mkdir(parents=True, exist_ok=True)
            for seed, picture in zip(wanted, shown, strict=True):
                (out / f"{seed}.{picture_format}").write_bytes(encoded(picture, picture_format).body)
    return len(wanted)


def draw_faces(
    entry: ModelEntry, seeds: Sequence[int], truncation_psi: float, *, device: str = "auto"
) -> Iterator[Picture]:
    """The faces of these seeds, in their order, as the service draws them: [R, R, 3] uint8 each."""
    config = WorkerConfig(worker_id="sample", device=device, models=[entry.manifest.name])
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), config)
    models.open()
    try:
        model = models.get(entry.manifest.digest)
        for start in range(0, len(seeds), BATCH):
            yield from _draw_batch(model, seeds[start : start + BATCH], truncation_psi)
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


def _draw_batch(model: LoadedModel, seeds: Sequence[int], truncation_psi: float) -> list[Picture]:
    manifest, task = model.manifest, GenerateTask()
    jobs = [
        GenerateJob(manifest.digest, seed, truncation_psi, manifest.resolution, PictureFormat.PNG) for seed in seeds
    ]
    return list(task.run(task.prepare(jobs, model), model))
