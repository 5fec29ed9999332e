"""The only reader of the environment: every PERSONNE_ variable, and the configs of the floors that are built from them.

A description here is a row of docs/settings.md; a test compares the two.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, FilePath, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.config import AppConfig
from jobs.contract import Lane
from jobs.queue import QueuePolicy
from marks import Mark
from personne.errors import SettingRefused
from personne.settings_access import AccessSettings
from personne.settings_jobs import JobSettings
from personne.settings_tracing import TracingSettings
from worker.config import WorkerConfig

PREFIX = "PERSONNE_"
MEMORY_QUEUE = "memory"
Device = Annotated[str, Field(pattern=r"^(auto|cpu|(cuda|tensorrt)(:\d+)?|openvino(:(bf16|f32))?)$")]


def user_data_folder() -> Path:
    """Where this system keeps an application's data for one user."""
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/personne")
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local")) / "personne"
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share") / "personne"


class Settings(BaseSettings, AccessSettings, JobSettings, TracingSettings):
    """Everything that can be set. Options of the command line win over the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    host: str = Field("127.0.0.1", description="Address to listen on; `0.0.0.0` lets other machines in.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the web; 0 takes any that is free.")
    queue: str = Field(
        MEMORY_QUEUE,
        description="`memory`: all in one process. `redis://…`, `rediss://…`, `unix://…`: a Redis in between.",
    )
    store: Path = Field(
        default_factory=user_data_folder,
        description="Folder of downloaded, imported and exported models; web and workers must see the same.",
    )

    default_model: str = Field("faces", description="Model of `/face` and of requests that name none.")
    default_psi: float = Field(
        0.7, ge=0, le=1, description="truncation_psi of requests that name none: lower is plainer, higher more varied."
    )
    ready_faces: int = Field(
        64, ge=0, le=4096, description="Faces made ahead, so that a refresh takes milliseconds; 0 makes none."
    )
    request_timeout_s: float = Field(
        30.0, gt=0, le=600, description="A request whose job is not done after so many seconds is told to try again."
    )
    max_faces: int = Field(100, ge=1, le=1000, description="Most faces that one `GET /v1/faces` draws.")
    max_upload_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, le=1024**3, description="Most bytes of a photo; reading stops there."
    )
    max_photo_pixels: int = Field(
        25_000_000, ge=1, le=1_000_000_000, description="Most pixels of a photo; looked up before it is decoded."
    )
    upload_room_bytes: int = Field(
        128 * 1024 * 1024, ge=1024, le=1024**4, description="Most bytes of photos that arrive at one moment; then 503."
    )
    translation_wait_s: float = Field(
        60.0, gt=0, le=3600, description="A request waits so long for its translation, then is told the job's address."
    )
    job_timeout_s: float = Field(
        900.0, gt=0, le=86400, description="A translation that nobody has begun after so many seconds is dropped."
    )

    device: Device = Field(
        "auto",
        description="Where a worker computes: `auto` (the best there is), `cpu`, `cuda`, `tensorrt`, `cuda:1`, "
        "`openvino`.",
    )
    lanes: Annotated[tuple[Lane, ...], NoDecode] = Field(
        tuple(Lane), min_length=1, description="What a worker takes: `quick`, `slow`, `idle`, with commas between."
    )
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names of the models that a worker serves, with commas between, all opened at its start; unset: "
        "all there are, the default model opened at the start, others when asked for.",
    )
    model_memory_mb: int = Field(
        4096,
        ge=64,
        le=16777216,
        description="What a worker's open models may take together, in MB as it reckons them; the least recently used "
        "goes for another, the default model never.",
    )
    threads: int | None = Field(
        None, ge=1, le=1024, description="Threads of the runtime on the CPU; unset leaves it the choice."
    )
    linger_ms: int = Field(
        0, ge=0, le=1000, description="How long an unfilled batch waits for more; waiting costs each request that long."
    )
    stop_grace_s: float = Field(
        25.0, gt=0, le=600, description="A stopping process is gone after so many seconds; Docker kills it after 30."
    )
    tile_side: int = Field(
        768,
        ge=256,
        le=16384,
        description="Photos of more pixels than this squared are translated in tiles; memory grows with the square.",
    )
    engine_cache: Path | None = Field(
        None,
        description="Folder of what TensorRT and OpenVINO build, for quick restarts; unset is `.engines` in the store.",
    )
    worker_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,128}$",
        description="A worker's name, unique among live ones; unset is host name and process number.",
    )

    marks: Annotated[tuple[Mark, ...], NoDecode] = Field(
        tuple(Mark),
        description="What pictures leave with: `xmp` (recipe and source), `watermark` (in the pixels), `c2pa` (signed, "
        "where there is a certificate).",
    )
    certificate: FilePath | None = Field(
        None,
        description="PEM file to sign with, the signer's own first; unset is what `personne certs init` put "
        "into the store.",
    )
    certificate_key: FilePath | None = Field(None, description="PEM file with the key of that certificate.")

    lease_s: float = Field(
        3.0, ge=0.5, le=600, description="A worker silent for so long is held for dead, and its jobs go to another."
    )
    max_deliveries: int = Field(
        3, ge=1, le=100, description="Attempts at one job; then it goes to the dead letters with the reason."
    )
    beat_ttl_s: float = Field(
        5.0, ge=1, le=600, description="A worker whose last heartbeat is older than this counts as gone in `/readyz`."
    )
    result_ttl_s: float = Field(300.0, gt=0, le=3600, description="How long a finished picture waits to be fetched.")
    input_ttl_s: float = Field(3600.0, gt=0, le=3600, description="How long uploaded bytes are kept at most.")
    dead_ttl_s: float = Field(
        604800.0, gt=0, le=31536000, description="How long dead letters are kept for whoever looks into them."
    )
    cap_quick: int = Field(
        1024, ge=1, le=1000000, description="Most waiting jobs for faces and edits; then 503 at once."
    )
    cap_slow: int = Field(
        32, ge=1, le=1000000, description="Most jobs waiting in the slow lane, each with its photo; then 503 at once."
    )
    cap_idle: int = Field(256, ge=1, le=1000000, description="Most jobs waiting to be made ahead.")

    @field_validator("lanes", "marks", "models", "hosts", "trusted_proxies", "share_key", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("store", "engine_cache")
    @classmethod
    def _without_tilde(cls, value: Path | None) -> Path | None:
        return value and value.expanduser()

    @field_validator("certificate", "certificate_key", mode="before")
    @classmethod
    def _found_at_home(cls, value: Any) -> Any:
        return Path(value).expanduser() if isinstance(value, str) else value

    @field_validator("queue")
    @classmethod
    def _known_queue(cls, value: str) -> str:
        if value != MEMORY_QUEUE and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("a queue is `memory` or a redis://, rediss:// or unix:// address")
        return value

    @model_validator(mode="after")
    def _certificate_with_its_key(self) -> "Settings":
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError(
                "a certificate and its key are set together: PERSONNE_CERTIFICATE, PERSONNE_CERTIFICATE_KEY"
            )
        return self

    @property
    def own_certificate(self) -> tuple[Path, Path]:
        """Where `personne certs init` puts a chain and its key."""
        return self.store / ".certs" / "chain.pem", self.store / ".certs" / "key.pem"

    @property
    def signing(self) -> tuple[Path, Path] | tuple[None, None]:
        """Chain and key to sign with, where there are any."""
        if self.certificate is not None and self.certificate_key is not None:
            return self.certificate, self.certificate_key
        own = self.own_certificate
        return own if all(path.is_file() for path in own) else (None, None)

    @property
    def on_redis(self) -> bool:
        return self.queue != MEMORY_QUEUE

    @property
    def own_livez(self) -> str:
        """Where a web with these settings answers that it is alive, asked on its own machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # read, not listened on
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/livez"

    def app_config(self) -> AppConfig:
        return AppConfig(
            default_model=self.default_model,
            default_psi=self.default_psi,
            ready_faces=self.ready_faces,
            request_timeout_s=self.request_timeout_s,
            max_faces=self.max_faces,
            max_upload_bytes=self.max_upload_bytes,
            max_photo_pixels=self.max_photo_pixels,
            upload_room_bytes=self.upload_room_bytes,
            translation_wait_s=self.translation_wait_s,
            job_timeout_s=self.job_timeout_s,
            max_dataset_faces=self.max_dataset_faces,
            webhooks=self.webhook_secret is not None,
            certificate=self.signing[0],
            access=self.access_of(self.host, self.store, self.queue if self.on_redis else None),
            input_ttl_s=self.input_ttl_s,
            result_ttl_s=self.result_ttl_s,
            dead_ttl_s=self.dead_ttl_s,
            on_redis=self.on_redis,
            traces=self.otlp_endpoint is not None,
        )

    def worker_config(self) -> WorkerConfig:
        return WorkerConfig(
            worker_id=self.worker_id or f"{host_prefix()}{os.getpid()}",
            device=self.device,
            lanes=self.lanes,
            linger_ms=self.linger_ms,
            stop_grace_s=self.stop_grace_s,
            models=self.models,
            default_model=self.default_model,
            model_memory_mb=self.model_memory_mb,
            threads=self.threads,
            tile_side=self.tile_side,
            max_photo_pixels=self.max_photo_pixels,
            max_dataset_bytes=self.max_dataset_bytes,
            engine_cache=str(self.engine_cache or self.store / ".engines"),
            marks=self.marks,
            certificate=self.signing[0],
            certificate_key=self.signing[1],
            # Three chances to be heard before a worker counts as gone.
            beat_every_s=min(1.0, self.beat_ttl_s / 3),
        )

    def queue_policy(self) -> QueuePolicy:
        return QueuePolicy(
            lane_caps={Lane.QUICK: self.cap_quick, Lane.SLOW: self.cap_slow, Lane.IDLE: self.cap_idle},
            lease_s=self.lease_s,
            max_deliveries=self.max_deliveries,
            result_ttl_s=self.result_ttl_s,
            input_ttl_s=self.input_ttl_s,
            dead_ttl_s=self.dead_ttl_s,
            beat_ttl_s=self.beat_ttl_s,
        )


def host_prefix() -> str:
    """What the names of this machine's (or container's) workers begin with."""
    return f"{socket.gethostname()}-"


def read_settings(**options: Any) -> Settings:
    """The environment, and over it the options that were given (None: not given). Raises SettingRefused."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise SettingRefused(_sentence(error, options)) from None


def unknown_variables() -> list[str]:
    """Variables with our prefix that set nothing: misspelt, most likely."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def _sentence(error: ValidationError, options: dict[str, Any]) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return f"{first['msg'].removeprefix('Value error, ')}. See docs/settings.md."
    name = str(first["loc"][0])
    said = f"--{name.replace('_', '-')}" if options.get(name) is not None else PREFIX + name.upper()
    # A secret is not said again, however wrong it is.
    given = "" if name == "share_key" else f"; it is {first['input']!r}"
    return f"{said}: {first['msg'].removeprefix('Value error, ')}{given}. See docs/settings.md."
