"""What the web needs to know; built by the front door, never read from the environment here."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Without anything: everybody may do everything, as on a machine of one's own.

    keys: file of the keys that are asked for; None: none are. share_secrets: sign shared addresses, the first of them;
    all are accepted. hosts: names that the service goes by; none: any. units_per_minute: most units of work of one
    visitor; 0: no limit. limits_redis: where all webs count together; None: each counts alone.
    """

    keys: Path | None = None
    share_secrets: tuple[str, ...] = field(default=(), repr=False)
    hosts: tuple[str, ...] = ()
    units_per_minute: int = 0
    limits_redis: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AppConfig:
    """How the web behaves.

    default_model: name of the model that `/face` uses. default_psi: truncation_psi unless a request asks otherwise.
    ready_faces: how many faces are made ahead (0: none). request_timeout_s: how long a request waits for its job.
    max_faces: most faces that one GET /v1/faces draws. max_dataset_faces: most of one data set. max_upload_bytes,
    max_photo_pixels: of one photo.
    upload_room_bytes: of all photos that arrive at one moment. translation_wait_s: how long a request waits for its
    translation before it is told the job's address instead. job_timeout_s: a job with an address of its own that nobody
    has begun within so many seconds is dropped. webhooks: whether requests may name an address that is told of their
    job's end. certificate: PEM file whose last certificate vouches for pictures of this service; None: it signs none.
    access: who is let in. input_ttl_s, result_ttl_s, dead_ttl_s: how long the queue keeps photos, results and what
    failed; on_redis: where; traces: whether times of jobs are sent to a collector. The privacy page says so.
    """

    default_model: str = "faces"
    default_psi: float = 0.7
    ready_faces: int = 64
    request_timeout_s: float = 30.0
    max_faces: int = 100
    max_upload_bytes: int = 10 * 1024 * 1024
    max_photo_pixels: int = 25_000_000
    upload_room_bytes: int = 128 * 1024 * 1024
    translation_wait_s: float = 60.0
    job_timeout_s: float = 900.0
    max_dataset_faces: int = 10_000
    webhooks: bool = False
    certificate: Path | None = None
    access: AccessConfig = field(default_factory=AccessConfig)
    input_ttl_s: float = 3600.0
    result_ttl_s: float = 300.0
    dead_ttl_s: float = 7 * 24 * 3600.0
    on_redis: bool = False
    traces: bool = False
