"""personne invert: the latents of faces in photos, without a server. The worker's own task finds them."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import Progress, TaskID

from jobs.contract import PHOTO, InvertJob
from models.abilities import Method, Space, method_of
from models.catalogue import Catalogue, ModelEntry
from personne.errors import AlreadyThere, BadLandmarks, PhotosNotInverted
from personne.photos_in import check_targets, photos_in, write_whole
from worker.config import WorkerConfig
from worker.errors import JobRefused
from worker.inverters import Inverters
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.invert import Inverted, InvertTask
from worker.tasks.solo import Step

NUMBERS = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """How latents are to be found, as in /v1/inversions."""

    method: Method
    space: Space
    face: int | None
    landmarks: tuple[float, ...]

    @classmethod
    def checked(
        cls,
        entry: ModelEntry,
        here: Iterable[ModelEntry],
        *,
        method: str | None,
        space: str,
        face: int | None,
        landmarks: str | None,
    ) -> "Wanted":
        """Raises ModelCannot, BadLandmarks, and ValueError for a method or a space that there is not."""
        for name, kind, value in (("--method", Method, method), ("--space", Space, space)):
            if value is not None and value not in list(kind):
                raise ValueError(f"{name} is {value!r}; there are {', '.join(kind)}.")
        chosen = method_of(None if method is None else Method(method), entry, here)
        return cls(chosen, Space(space), face, _numbers(landmarks))


def invert_photos(
    entry: ModelEntry, sources: Sequence[Path], out: Path, wanted: Wanted, config: WorkerConfig, *, force: bool
) -> list[Path]:
    """Write NAME.json (as /v1/jobs/{id}/result has it) and NAME.png for each photo; a folder's keep their places.

    force: replace files that are no latents, too. Raises NothingToTranslate, WouldOverwrite, AlreadyThere before
    anything is done, and PhotosNotInverted at the end, when some could not be: the others are there.
    """
    photos, written, refused = photos_in(sources), [], 0
    check_targets(((photo, _targets(out, place)) for photo, place in photos), "invert")
    if not force:
        _check_ours(_targets(out, place) for _, place in photos)
    job = InvertJob(entry.generator.digest, wanted.method.value, wanted.space.value, wanted.face, wanted.landmarks)
    with _opened(entry, config) as invert, Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(entry.manifest.name, total=len(photos))
        for number, (photo, place) in enumerate(photos):
            try:
                document, picture = invert(photo.read_bytes(), job, partial(_tell, progress, bar, number))
            except (JobRefused, OSError) as error:
                refused += 1
                progress.console.print(f"{photo}: {error}", markup=False, highlight=False, soft_wrap=True)
            else:
                latent, shown = _targets(out, place)
                write_whole(latent, document)
                write_whole(shown, picture)
                written.append(latent)
            progress.update(bar, completed=number + 1)
    if refused:
        raise PhotosNotInverted(refused, len(photos))
    return written


def _targets(out: Path, place: Path) -> tuple[Path, Path]:
    """The latent's document, and the picture for people."""
    return out / place.with_suffix(".json"), out / place.with_suffix(".png")


def _check_ours(targets: Iterable[tuple[Path, Path]]) -> None:
    """Raises AlreadyThere for what this command did not write: who.png may be a photo that nobody named."""
    for latent, shown in targets:
        for path in (latent, shown):
            if path.exists() and not _is_latent(latent):
                raise AlreadyThere(path)


def _is_latent(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and {"ws", "method", "landmarks"} <= document.keys()


def _tell(progress: Progress, bar: TaskID, done: int, share: float) -> None:
    progress.update(bar, completed=done + share)


@contextmanager
def _opened(
    entry: ModelEntry, config: WorkerConfig
) -> Iterator[Callable[[bytes, InvertJob, Step], tuple[bytes, bytes]]]:
    """What does a worker's three verbs at once: the latent's document, and a picture for people."""
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), config)
    task = InvertTask(config.max_photo_pixels, Inverters(config, models.entry_of))
    try:
        models.open()
        with models.held(entry.generator.digest) as model:
            if not isinstance(model, LoadedGenerator):
                raise TypeError(f"this is a bug: {entry.manifest.name} was opened as {type(model).__name__}")
            generator = model

            def invert(photo: bytes, job: InvertJob, step: Step) -> tuple[bytes, bytes]:
                inputs = {PHOTO: photo}
                inverted = task.run(job, task.prepare(job, inputs, generator), generator, step)
                return _indented(task.finish(job, inverted, inputs).body), _side_by_side(inverted)

            yield invert
    finally:
        models.close()


def _indented(document: bytes) -> bytes:
    return (json.dumps(json.loads(document), indent=2) + "\n").encode()


def _side_by_side(inverted: Inverted) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.hstack([inverted.located.crop, inverted.found.picture])).save(buffer, "PNG")
    return buffer.getvalue()


def _numbers(text: str | None) -> tuple[float, ...]:
    """ "1,2,…" -> ten numbers; nothing -> none. Raises BadLandmarks."""
    if text is None:
        return ()
    try:
        numbers = tuple(float(number) for number in text.split(","))
    except ValueError:
        raise BadLandmarks from None
    if len(numbers) != NUMBERS:
        raise BadLandmarks
    return numbers
