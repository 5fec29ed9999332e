"""A request becomes a job: defaults, drawn seeds, and what is refused."""

import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from app.config import AppConfig
from app.errors import MAX_SEED, SeedOutOfRange, SizeOutOfRange
from jobs.contract import GenerateJob, PictureFormat
from models.catalogue import Catalogue, ModelEntry

DRAWN_SEEDS = 2**32
"""Drawn seeds lie below this, so that every published tool can make the same face; asked ones may go to 2**64 - 1."""
SMALLEST_SIZE = 16

_SEED = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request asks of a face; None where it leaves the choice to us.

    model: a name or a digest. truncation_psi: 0 to 1. size: side in pixels.
    """

    model: str | None = None
    truncation_psi: float | None = None
    size: int | None = None


class Ordering:
    """Turns wishes into jobs by the configured defaults. Raises ModelNotFound where there is no default model."""

    def __init__(self, config: AppConfig, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._default_psi = config.default_psi
        self.default_model = catalogue.named(config.default_model)

    def face(self, seed: int, wishes: Wishes, picture_format: PictureFormat) -> GenerateJob:
        """The job for one face. Raises ModelNotFound, SizeOutOfRange."""
        model = self.model(wishes.model).generator
        psi = self._default_psi if wishes.truncation_psi is None else wishes.truncation_psi
        size = model.resolution if wishes.size is None else wishes.size
        smallest = min(SMALLEST_SIZE, model.resolution)
        if not smallest <= size <= model.resolution:
            raise SizeOutOfRange(size, smallest, model.resolution, model.name)
        # + 0.0 makes -0.0 the same job as 0.0, and so the same address and validator.
        return GenerateJob(model.digest, seed, float(psi) + 0.0, size, picture_format)

    def model(self, wanted: str | None) -> ModelEntry:
        """The model of that name or digest (a digest wins over a name that looks like one). Raises ModelNotFound."""
        if wanted is None:
            return self.default_model
        if _DIGEST.fullmatch(wanted) and any(entry.manifest.digest == wanted for entry in self._catalogue):
            return self._catalogue.with_digest(wanted)
        return self._catalogue.named(wanted)

    def address(self, job: GenerateJob) -> str:
        """The permanent address of a face: it names all that makes the pixels (docs/decisions/0003)."""
        query = {"model": job.model, "truncation_psi": plain_number(job.truncation_psi)}
        if job.size != self._catalogue.with_digest(job.model).generator.resolution:
            query["size"] = str(job.size)
        return f"/v1/faces/{job.seed}.{job.format.value}?{urlencode(query)}"

    def page_address(self, job: GenerateJob) -> str:
        """The page that shows this face."""
        query = {"seed": job.seed, "model": job.model, "truncation_psi": plain_number(job.truncation_psi)}
        return f"/?{urlencode(query)}"


def draw_seed() -> int:
    """Uniform in 0 to 2**32 - 1, not predictable from the ones before."""
    return secrets.randbelow(DRAWN_SEEDS)


def read_seed(text: str) -> int:
    """The seed that an address names. Raises SeedOutOfRange."""
    if _SEED.fullmatch(text) is None or int(text) > MAX_SEED:
        raise SeedOutOfRange
    return int(text)


def plain_number(value: float) -> str:
    """The shortest text that reads back as the same number: 0.7, 1, 0.05."""
    return repr(int(value)) if value == int(value) else repr(value)


def validator(job: GenerateJob) -> str:
    """A weak ETag: equal for equal pixels, while another encoder version may give other bytes."""
    return f'W/"{job.model}-{job.seed}-{plain_number(job.truncation_psi)}-{job.size}-{job.format.value}"'
