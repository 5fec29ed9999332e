"""What the edits of a job add to its latent, and how its recipe tells of them."""

from collections.abc import Callable

from jobs.contract import EditJob, GenerateJob, GridJob, MorphJob
from marks.recipe import Plain
from models import directions
from models.directions import NO_DIRECTIONS, Directions, Offset
from models.errors import DirectionsGone
from models.manifest import GeneratorManifest

DirectionsOf = Callable[[str], Directions]
"""A model's directions, by its digest."""


def without_directions(_: str) -> Directions:
    """For those who draw no edited face."""
    return NO_DIRECTIONS


def offset_of(job: GenerateJob | EditJob, known: Directions, manifest: GeneratorManifest) -> Offset:
    """What a job's edits add up to. Raises DirectionsGone when the model has other directions than the job means, and
    NoSuchAttribute."""
    if not job.edits:
        return Offset()
    if job.directions and job.directions != known.digest:
        raise DirectionsGone(job.directions, manifest.name, known.digest)
    return directions.offset_of(job.edits, job.keep, known, manifest.num_ws, manifest.name)


def edit_parameters(job: GenerateJob | EditJob | MorphJob | GridJob) -> dict[str, Plain]:
    """The edits in the words of a permanent address."""
    if not job.edits:
        return {}
    kept: dict[str, Plain] = {"keep": ",".join(job.keep)} if job.keep else {}
    return {**dict(job.edits), **kept, "directions": job.directions}
