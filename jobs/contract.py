"""What travels between web and worker: frozen, versioned, plain data.

A job kind is one frozen dataclass with a `kind`. Adding a kind is adding a class here, a row to `JOB_KINDS` and a task
in `worker/tasks`. Pictures and other large bytes never ride in a job: they have keys of their own with a time to live.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, NewType

CONTRACT_VERSION = 3
"""Written into every message; a reader refuses versions that it does not know."""

JobId = NewType("JobId", str)

Edits = tuple[tuple[str, float], ...]
"""Attributes, each with the strength by which a face is moved along its direction."""


class Lane(StrEnum):
    """A stream of its own each; a worker takes `idle` only when `quick` is empty."""

    QUICK = "quick"  # faces, edits: somebody waits
    SLOW = "slow"  # translations, inversions, morphs, data sets
    IDLE = "idle"  # faces made ahead


class PictureFormat(StrEnum):
    """How a picture is encoded."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        return "image/jpeg" if self is PictureFormat.JPEG else f"image/{self.value}"


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Jobs with equal keys can run in one batch."""

    kind: str
    model: str


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

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class EditJob:
    """The face of a stored latent, moved by attributes. The latent travels beside the job, as its input `latent`: the
    ws [num_ws, w_dim], raw little-endian float32.

    truncation_psi: 1 (the latent as it is stored) to 0 (the average face). size, edits, keep, directions: as of a
    GenerateJob.
    """

    kind: ClassVar[str] = "edit"

    model: str
    size: int
    format: PictureFormat
    edits: Edits = ()
    keep: tuple[str, ...] = ()
    directions: str = ""
    truncation_psi: float = 1.0

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


@dataclass(frozen=True, slots=True)
class TranslateJob:
    """A photo in another style. The photo travels beside the job, as its input `photo`: the bytes that were uploaded.

    model: digest of the translator. strength: 0 (the photo) to 1 (the translation). size: longest side of the answer
    in pixels; None: the photo's own. A C2PA manifest that the photo carries travels as the input `c2pa`.
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
class DatasetJob:
    """Faces of consecutive seeds, with their labels, as one zip. The result comes in parts.

    seed: of the first; count: how many. ranges: attributes, each with the lowest and the highest strength; every face
    draws its own in between, by its seed. All else: as of a GenerateJob.
    """

    kind: ClassVar[str] = "dataset"

    model: str
    seed: int
    count: int
    truncation_psi: float
    size: int
    format: PictureFormat
    label: int | None = None
    rotate: float = 0.0
    translate_x: float = 0.0
    translate_y: float = 0.0
    ranges: tuple[tuple[str, float, float], ...] = ()
    keep: tuple[str, ...] = ()
    directions: str = ""

    @property
    def batch_key(self) -> BatchKey:
        return BatchKey(self.kind, self.model)


PHOTO, C2PA, LATENT = "photo", "c2pa", "latent"
"""Names of inputs."""

Job = GenerateJob | EditJob | TranslateJob | DatasetJob
_KINDS: tuple[type[Job], ...] = (GenerateJob, EditJob, TranslateJob, DatasetJob)
JOB_KINDS: Mapping[str, type[Job]] = MappingProxyType({kind.kind: kind for kind in _KINDS})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job in a worker's hands, under a lease until it is finished, retried or given back.

    delivery_count: 1 at the first delivery; more when a worker died or gave an error with it.
    submitted_at_ms, deadline_ms: Unix time in milliseconds. After the deadline nobody waits: the worker drops the job.
    receipt: the queue's own handle (a stream entry id), opaque to the worker.
    """

    id: JobId
    job: Job
    lane: Lane
    delivery_count: int
    submitted_at_ms: int
    deadline_ms: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a large result lies: in so many parts, each fetched by itself. token: of the attempt that wrote them."""

    token: str
    count: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class JobResult:
    """A job done.

    body: the encoded picture; empty where the result lies in `parts`. timings_ms: what each stage took (`queue_wait`,
    `inference`, `encode`), so that the web can show them in /metrics. batch_size: how many jobs rode in the batch.
    """

    body: bytes
    media_type: str
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    batch_size: int = 1
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class JobFailure:
    """A job that will give no result.

    code: stable and machine-readable (`model-not-loaded`, `job-failed`, `cancelled`, `deadline-passed`,
    `photo-refused`, `dataset-too-large`). reason: a sentence for people.
    """

    code: str
    reason: str


JobOutcome = JobResult | JobFailure


class JobStage(StrEnum):
    """How far a job has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What can be said of a job without its result.

    position: how many jobs of its lane are taken before it; None unless it waits, and where too many wait to be
    counted. progress: 0 to 1 while it runs, as its worker last said. failure: of a failed job.
    """

    stage: JobStage
    position: int | None = None
    progress: float | None = None
    failure: JobFailure | None = None


EVENTS_KEPT = 1024
"""Of one job: whoever comes late sees as many of its latest events."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job: it reached a stage, or its worker said how far it is.

    id: grows with every event of a job. progress: 0 to 1, where the worker has just said so. failure: of a failed job.
    """

    id: str
    stage: JobStage
    progress: float | None = None
    failure: JobFailure | None = None

    @property
    def final(self) -> bool:
        """Whether no other follows."""
        return self.stage in (JobStage.DONE, JobStage.FAILED)


@dataclass(frozen=True, slots=True)
class WorkerBeat:
    """What a live worker says of itself at every heartbeat.

    models: digests that it can be asked for. warm: those that are open already. lanes: what it takes. device: `cpu`,
    `cuda:0`, ...
    """

    worker_id: str
    models: tuple[str, ...]
    warm: tuple[str, ...]
    lanes: tuple[Lane, ...]
    device: str
    ready: bool


@dataclass(frozen=True, slots=True)
class QueueState:
    """Figures for /metrics and /readyz: waiting and running jobs by lane, and totals since the queue began."""

    waiting: Mapping[Lane, int]
    running: Mapping[Lane, int]
    retries: int
    dead: int
    workers: tuple[WorkerBeat, ...]
