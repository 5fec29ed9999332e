"""What travels between web and worker: frozen, versioned, plain data.

The kinds of job are in jobs.kinds. Pictures and other large bytes never ride in a job: they have keys of their own with
a time to live.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

from jobs.job_fields import LONGEST_PHOTO_SIDE, AnimationFormat, BatchKey, Edits, PictureFormat
from jobs.kinds import (
    C2PA,
    JOB_KINDS,
    LATENT,
    MASK,
    PHOTO,
    TAUGHT,
    EditJob,
    GenerateJob,
    InvertJob,
    Job,
    PhotoEditJob,
    TeachJob,
    TranslateJob,
)
from jobs.several_faces import DatasetJob, GridJob, MorphJob

__all__ = [
    "C2PA",
    "CONTRACT_VERSION",
    "EVENTS_KEPT",
    "JOB_KINDS",
    "LATENT",
    "LONGEST_PHOTO_SIDE",
    "MASK",
    "PHOTO",
    "TAUGHT",
    "AnimationFormat",
    "BatchKey",
    "DatasetJob",
    "Delivery",
    "EditJob",
    "Edits",
    "GenerateJob",
    "GridJob",
    "InvertJob",
    "Job",
    "JobEvent",
    "JobFailure",
    "JobId",
    "JobOutcome",
    "JobResult",
    "JobStage",
    "JobStatus",
    "Lane",
    "MorphJob",
    "Parts",
    "PhotoEditJob",
    "PictureFormat",
    "QueueState",
    "TeachJob",
    "TranslateJob",
    "WorkerBeat",
]

CONTRACT_VERSION = 4
"""Written into every message; a reader refuses versions that it does not know."""

JobId = NewType("JobId", str)


class Lane(StrEnum):
    """A stream of its own each; a worker takes `idle` only when `quick` is empty."""

    QUICK = "quick"  # faces, edits: somebody waits
    SLOW = "slow"  # translations, inversions, morphs, grids, data sets
    IDLE = "idle"  # faces made ahead


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job in a worker's hands, under a lease until it is finished, retried or given back.

    delivery_count: 1 at the first delivery; more when a worker died or gave an error with it.
    submitted_at_ms, deadline_ms: Unix time in milliseconds. Not begun by the deadline, the job is dropped.
    receipt: the queue's own handle (a stream entry id), opaque to the worker. trace: the W3C traceparent of the request
    that asked for it.
    """

    id: JobId
    job: Job
    lane: Lane
    delivery_count: int
    submitted_at_ms: int
    deadline_ms: int
    receipt: str
    trace: str | None = None


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
    keep_s: how long it is kept, where that is not the queue's own result_ttl_s.
    """

    body: bytes
    media_type: str
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    batch_size: int = 1
    parts: Parts | None = None
    keep_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobFailure:
    """A job that will give no result.

    code: stable and machine-readable (`model-not-loaded`, `job-failed`, `cancelled`, `deadline-passed`,
    `photo-refused`, `mask-refused`, `dataset-too-large`, `face-not-found`, `several-faces`, `face-too-small`). reason:
    a sentence for people. details: what a program wants to know of it, as JSON has it.
    """

    code: str
    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)


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
