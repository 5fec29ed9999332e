"""A request becomes a job: defaults, drawn seeds, and what is refused."""

import re
import secrets
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.config import AppConfig
from app.errors import MAX_SEED, SeedOutOfRange, SizeOutOfRange
from jobs.contract import EditJob, Edits, GenerateJob, PictureFormat
from marks.recipe import MARKS_VERSION
from models.abilities import label_of, movement_of, psi_of
from models.catalogue import Catalogue, ModelEntry, Shelf
from models.directions import Direction, Directions, check_edits
from models.errors import DirectionsGone
from models.manifest import GeneratorManifest
from models.mixing import mix_text, mixes_of

DRAWN_SEEDS = 2**32
"""Drawn seeds lie below this, so that every published tool can make the same face; asked ones may go to 2**64 - 1."""
SMALLEST_SIZE = 16
MOVEMENT = ("rotate", "translate_x", "translate_y")

_SEED = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request asks of a face; None where it leaves the choice to us.

    model: a name or a digest. truncation_psi: 0 to 1. size: side in pixels. label: number or name of a class. rotate:
    degrees. translate_x, translate_y: shares of the side. edits: strengths of attributes. keep: attributes that these
    are to leave alone. directions: the digest of the directions that are meant. mix: "9:0-3", layers of other seeds.
    """

    model: str | None = None
    truncation_psi: float | None = None
    size: int | None = None
    label: str | None = None
    rotate: float | None = None
    translate_x: float | None = None
    translate_y: float | None = None
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str | None = None
    mix: str | None = None


class Ordering:
    """Turns wishes into jobs by the configured defaults, with the models that there are at that moment.

    Raises ModelNotFound where there is no default model at the start.
    """

    def __init__(self, config: AppConfig, shelf: Shelf) -> None:
        self._shelf = shelf
        self._default_psi = config.default_psi
        self.default_name = config.default_model
        shelf.now.named(config.default_model)

    @property
    def catalogue(self) -> Catalogue:
        """The models that there are now."""
        return self._shelf.now

    @property
    def default_model(self) -> ModelEntry:
        """Raises ModelNotFound when it has gone."""
        return self.catalogue.named(self.default_name)

    def face(self, seed: int, wishes: Wishes, picture_format: PictureFormat) -> GenerateJob:
        """The job for one face.

        Raises ModelNotFound, WrongKindOfModel, ModelCannot, NoSuchClass, SizeOutOfRange, MixRefused, and what
        `edits_of` raises.
        """
        entry, here = self.model(wishes.model), self.catalogue
        model = entry.generator
        edits, keep, directions = edits_of(wishes, entry)
        rotate, across, down = movement_of(wishes.rotate, wishes.translate_x, wishes.translate_y, entry, here)
        return GenerateJob(
            model=model.digest,
            seed=seed,
            truncation_psi=psi_of(wishes.truncation_psi, self._default_psi, entry, here),
            size=_size_of(wishes.size, model),
            format=picture_format,
            label=label_of(wishes.label, entry, here),
            rotate=rotate,
            translate_x=across,
            translate_y=down,
            edits=edits,
            keep=keep,
            directions=directions,
            mix=mixes_of(wishes.mix, model),
        )

    def stored_face(
        self,
        wishes: Wishes,
        picture_format: PictureFormat,
        *,
        taught: Direction | None = None,
        seed: int | None = None,
    ) -> EditJob:
        """The job for the face of a stored latent, whose model the wishes name by its digest; or of a seed.

        taught: one more direction of that model. Raises what `face` raises.
        """
        entry = self.model(wishes.model)
        edits, keep, directions = edits_of(wishes, entry if taught is None else _with(taught, entry))
        default_psi = 1.0 if seed is None else self._default_psi
        return EditJob(
            model=entry.generator.digest,
            size=_size_of(wishes.size, entry.generator),
            format=picture_format,
            edits=edits,
            keep=keep,
            directions=directions,
            truncation_psi=psi_of(wishes.truncation_psi, default_psi, entry, self.catalogue),
            mix=mixes_of(wishes.mix, entry.generator),
            seed=seed,
        )

    def attributes(self, wanted: str | None) -> Directions:
        """The attributes that can be asked of that model. Raises ModelNotFound."""
        return self.model(wanted).directions

    def model(self, wanted: str | None) -> ModelEntry:
        """The model of that name or digest (a digest wins over a name that looks like one). Raises ModelNotFound."""
        if wanted is None:
            return self.default_model
        catalogue = self.catalogue
        return catalogue.with_digest(wanted) if wanted in catalogue else catalogue.named(wanted)

    def address(self, job: GenerateJob) -> str:
        """The permanent address of a face: it names all that makes the pixels (docs/decisions/0003)."""
        query = query_of(job)
        if job.size != self.catalogue.with_digest(job.model).generator.resolution:
            query["size"] = str(job.size)
        return f"/v1/faces/{job.seed}.{job.format.value}?{urlencode(query, safe=':')}"

    def page_address(self, job: GenerateJob) -> str:
        """The page that shows this face."""
        return f"/?{urlencode({'seed': job.seed, **query_of(job)}, safe=':')}"


def query_of(job: GenerateJob) -> dict[str, str]:
    """Model and wishes as an address has them; what is as it would be unasked is left out, but for truncation_psi,
    whose default an operator may change."""
    query = {"model": job.model}
    if job.label is not None:
        query["class"] = str(job.label)
    query["truncation_psi"] = plain_number(job.truncation_psi)
    moved = {name: getattr(job, name) for name in MOVEMENT}
    query |= {name: plain_number(value) for name, value in moved.items() if value}
    if job.mix:
        query["mix"] = mix_text(job.mix)
    if job.edits:
        query |= {name: plain_number(strength) for name, strength in job.edits}
        query |= {"keep": ",".join(job.keep)} if job.keep else {}
        query["directions"] = job.directions
    return query


def edits_of(wishes: Wishes, entry: ModelEntry) -> tuple[Edits, tuple[str, ...], str]:
    """Edits, what they keep, and the digest of the model's directions, as jobs carry them.

    Raises NoSuchAttribute, AttributeOutOfRange, EditRefused, DirectionsGone.
    """
    name, known = entry.manifest.name, entry.directions
    edits, keep = check_edits(name, known, dict(wishes.edits), wishes.keep, entry.generator.num_ws)
    if edits and wishes.directions not in (None, known.digest):
        raise DirectionsGone(wishes.directions or "", name, known.digest)
    return edits, keep, known.digest if edits else ""


def _with(taught: Direction, entry: ModelEntry) -> ModelEntry:
    """The model as if it had that direction too."""
    others = [one for name, one in entry.directions.items() if name != taught.name]
    return replace(entry, directions=Directions([*others, taught], entry.directions.digest))


def _size_of(wanted: int | None, model: GeneratorManifest) -> int:
    size, smallest = model.resolution if wanted is None else wanted, min(SMALLEST_SIZE, model.resolution)
    if not smallest <= size <= model.resolution:
        raise SizeOutOfRange(size, smallest, model.resolution, model.name)
    return size


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
    """A weak ETag: equal for equal pixels; bytes differ with the encoder, and with every signature."""
    parts = [job.model, str(job.seed), plain_number(job.truncation_psi), str(job.size), job.format.value]
    if job.label is not None:
        parts.append(f"class{job.label}")
    if any(getattr(job, name) for name in MOVEMENT):
        parts.append("_".join(plain_number(getattr(job, name)) for name in MOVEMENT))
    if job.mix:
        # A comma would end the tag where several are listed.
        parts.append(f"mix{mix_text(job.mix).replace(',', '_')}")
    if job.edits:
        parts += [f"{name}{plain_number(strength)}" for name, strength in job.edits]
        parts += ["keep_" + "_".join(job.keep)] if job.keep else []
        parts.append(f"d{job.directions}")
    return f'W/"{"-".join([*parts, f"m{MARKS_VERSION}"])}"'
