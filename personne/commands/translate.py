"""personne translate: photos into a style, files and folders, without a server. The worker's own task does them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from jobs.contract import MASK, PHOTO, PictureFormat, TranslateJob
from marks.errors import NotAPicture
from marks.verify import verify
from models.catalogue import Catalogue, ModelEntry
from personne.errors import AlreadyThere, NoMaskTaken, PhotosRefused
from personne.photos_in import check_targets, photos_in, write_whole
from worker.config import WorkerConfig
from worker.errors import MaskRefused, PhotoRefused
from worker.loaded_models import LoadedModels
from worker.tasks.solo import SoloTask, Step
from worker.tasks.task import tasks_for

SUFFIXES = {
    ".jpg": PictureFormat.JPEG,
    ".jpeg": PictureFormat.JPEG,
    ".png": PictureFormat.PNG,
    ".webp": PictureFormat.WEBP,
}


Translate = Callable[[Mapping[str, bytes], TranslateJob, Step], bytes]
"""A job's inputs -> the encoded picture."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How the photos are translated, as in /v1/translations. picture_format: None keeps each photo's own. mask: where
    photos are to be filled, by a style that does so."""

    strength: float = 1.0
    size: int | None = None
    picture_format: PictureFormat | None = None
    mask: Path | None = None


def translate_photos(
    entry: ModelEntry, sources: Sequence[Path], out: Path, wish: Wish, config: WorkerConfig, *, force: bool
) -> list[Path]:
    """Write a translation of each photo into `out`, under its name; a folder's photos keep their places in it.

    force: replace files that are no translations, too. Raises NothingToTranslate, WouldOverwrite, AlreadyThere and
    NoMaskTaken before anything is done; PhotosRefused at the end, when some could not be read: the others are there.
    """
    if wish.mask is not None and not entry.translator.takes_mask:
        raise NoMaskTaken(entry.translator.name)
    pairs = _pairs(sources, out, wish.picture_format)
    if not force:
        _check_ours(target for _, target in pairs)
    refused = []
    beside = {} if wish.mask is None else {MASK: wish.mask.read_bytes()}
    with _opened(entry, config) as translate, Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(entry.manifest.name, total=len(pairs))
        for number, (source, target) in enumerate(pairs):
            try:
                told = partial(_tell, progress, bar, number)
                inputs = {PHOTO: source.read_bytes(), **beside}
                write_whole(target, translate(inputs, _job(entry, target, wish), told))
            except (PhotoRefused, MaskRefused, OSError) as error:
                refused.append(source)
                progress.console.print(f"{source}: {error}", markup=False, highlight=False, soft_wrap=True)
            progress.update(bar, completed=number + 1)
    if refused:
        raise PhotosRefused(len(refused), len(pairs))
    return [target for _, target in pairs]


def _tell(progress: Progress, bar: TaskID, done: int, share: float) -> None:
    progress.update(bar, completed=done + share)


def _job(entry: ModelEntry, target: Path, wish: Wish) -> TranslateJob:
    return TranslateJob(
        model=entry.manifest.digest,
        strength=wish.strength,
        format=SUFFIXES[target.suffix.lower()],
        size=wish.size,
    )


@contextmanager
def _opened(entry: ModelEntry, config: WorkerConfig) -> Iterator[Translate]:
    """What does a worker's three verbs at once."""
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), config)
    task = tasks_for(config, models.name_of)[TranslateJob.kind]
    if not isinstance(task, SoloTask):
        raise TypeError("this is a bug: translations run alone")
    try:
        models.open()
        with models.held(entry.translator.digest) as model:

            def translate(inputs: Mapping[str, bytes], job: TranslateJob, step: Step) -> bytes:
                picture = task.run(job, task.prepare(job, inputs, model), model, step)
                return task.finish(job, picture, inputs).body

            yield translate
    finally:
        models.close()


def _pairs(sources: Sequence[Path], out: Path, picture_format: PictureFormat | None) -> list[tuple[Path, Path]]:
    """Each photo and where its translation goes."""
    pairs = [(photo, out / _renamed(place, picture_format)) for photo, place in photos_in(sources)]
    check_targets(((photo, [target]) for photo, target in pairs), "translate")
    return pairs


def _check_ours(targets: Iterable[Path]) -> None:
    """Raises AlreadyThere for what this command did not write: a photo of that name, say, which nobody named."""
    for target in targets:
        if target.exists() and not _is_translation(target):
            raise AlreadyThere(target)


def _is_translation(path: Path) -> bool:
    try:
        recipe = verify(path.read_bytes()).recipe
    except (OSError, NotAPicture):
        return False
    return recipe is not None and recipe.kind == TranslateJob.kind


def _renamed(place: Path, picture_format: PictureFormat | None) -> Path:
    if picture_format is not None and SUFFIXES.get(place.suffix.lower()) is not picture_format:
        return place.with_suffix(f".{picture_format}")
    return place if place.suffix.lower() in SUFFIXES else place.with_suffix(".jpg")
