"""The kinds of job: frozen, plain data.

A kind is one frozen dataclass with a `kind`. Adding one is adding a class here (or in jobs.several_faces), a row to
`JOB_KINDS` and a task in `worker/tasks`. Whoever needs one imports it from jobs.contract, of which this is a part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, get_args

from jobs.job_fields import BatchKey, Edits, Mixes, PictureFormat
from jobs.several_faces import DatasetJob, GridJob, MorphJob


@dataclass(frozen=True, slots=True)
class GenerateJob:
    """One face from a seed.

    model: digest of the model (`ModelManifest.digest`).
    seed: 0 to 2**64 - 1.
    truncation_psi: 0 (the average face) to 1 (no truncation); the app refuses what lies outside.
    size: side of the picture in pixels, at most the model's resolution.
    label: class of a model with labels, 0 to c_dim - 1; None: the seed draws one.
    rotate: degrees counter-clockwise; translate_x, translate_y: shares of the picture's side, right and down. The
        network itself moves what it draws (StyleGAN3 alone; 0 for all others).
    edits: attributes by which the face is moved, each with its strength, in the order of their names. keep: attributes
        that these are to leave alone. directions: the digest of the directions that these mean; "" without edits.
    mix: style layers that are those of other seeds.
    """

    kind: ClassVar[str] = "generate"

    model: str
    seed: int
    truncation_psi: float
    size: int
    format: PictureFormat
    label: int | None = None
    rotate: float = 0.0
    translate_x: float = 0.0
    translate_y: float = 0.0
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str = ""
    mix: Mixes = ()

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class EditJob:
    """The face of a stored latent, moved by attributes. The latent travels beside the job, as its input `latent`: the
    ws [num_ws, w_dim], raw little-endian float32.

    truncation_psi: 1 (the latent as it is stored) to 0 (the average face). size, edits, keep, directions, mix: as of
    a GenerateJob. seed: instead of a stored latent, the face of a seed. A direction that somebody taught travels as the
    input `taught`, a file of directions: its name is one more attribute.
    """

    kind: ClassVar[str] = "edit"

    model: str
    size: int
    format: PictureFormat
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str = ""
    truncation_psi: float = 1.0
    mix: Mixes = ()
    seed: int | None = None

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class TranslateJob:
    """A photo in another style. The photo travels beside the job, as its input `photo`: the bytes that were uploaded.

    model: digest of the translator. strength: 0 (the photo) to 1 (the translation). size: longest side of the answer
    in pixels; None: the photo's own, times the model's scale. A C2PA manifest that the photo carries travels as the
    input `c2pa`, the picture that says where a model is to fill as `mask`.
    """

    kind: ClassVar[str] = "translate"

    model: str
    strength: float
    format: PictureFormat
    size: int | None = None

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class InvertJob:
    """The latent that draws a face as it is in a photo. The photo travels beside the job, as its input `photo`.

    Its result is JSON, and its id is the latent's. method: `encoder`, `descent` or `hybrid`. space: `w` or `w_plus`.
    face: which of several, 0 being the largest; None: there must be one alone. landmarks: ten numbers, x and y of the
    left-in-image eye, the right-in-image eye, the nose, the left and right mouth corner in pixels of the upright photo;
    empty: they are looked for.
    """

    kind: ClassVar[str] = "invert"

    model: str
    method: str
    space: str = "w_plus"
    face: int | None = None
    landmarks: tuple[float, ...] = ()

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class PhotoEditJob:
    """A face in a photo, found, drawn again and moved by attributes. The photo travels beside the job, as its input
    `photo`, and a C2PA manifest that it carries as `c2pa`.

    method, space, face, landmarks: as of an InvertJob. size, edits, keep, directions, truncation_psi, mix: as of an
    EditJob.
    paste: the result is the whole photo, changed as the face was; size is then that of the face alone, unused.
    """

    kind: ClassVar[str] = "photo_edit"

    model: str
    method: str
    size: int
    format: PictureFormat
    space: str = "w_plus"
    face: int | None = None
    landmarks: tuple[float, ...] = ()
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str = ""
    truncation_psi: float = 1.0
    paste: bool = False
    mix: Mixes = ()

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)

    @property
    def edit(self) -> EditJob:
        """What is done to the latent."""
        return EditJob(
            model=self.model,
            size=self.size,
            format=self.format,
            edits=self.edits,
            keep=self.keep,
            directions=self.directions,
            truncation_psi=self.truncation_psi,
            mix=self.mix,
        )


@dataclass(frozen=True, slots=True)
class TeachJob:
    """A direction that leads from faces which somebody says have less of something to those that have more.

    Its result is JSON, and its id is the direction's. name, meaning: of the attribute. seeds: faces, each with one of
    `scores`: above 0 for more, below 0 for less, and farther from 0 where that is plainer.
    """

    kind: ClassVar[str] = "teach"

    model: str
    name: str
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    meaning: str = ""

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


PHOTO, MASK, C2PA, LATENT, TAUGHT = "photo", "mask", "c2pa", "latent", "taught"
"""Names of inputs."""

Job = GenerateJob | EditJob | TranslateJob | DatasetJob | InvertJob | PhotoEditJob | MorphJob | GridJob | TeachJob
JOB_KINDS: Mapping[str, type[Job]] = MappingProxyType({kind.kind: kind for kind in get_args(Job)})
