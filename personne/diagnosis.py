"""What `personne doctor` looks at: each check says what it found, whether that is sound, and how to mend it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from app.access.keys_file import KeyFile
from app.errors.access import KeysUnreadable
from jobs.errors import QueueUnavailable
from jobs.redis_queue.inspection import RedisFacts, inspect_redis
from marks.errors import CertificateRefused
from models.catalogue import Catalogue
from models.errors import ModelNotFound
from personne.errors import install
from personne.models_here import models_here
from personne.settings import Settings, unknown_variables
from personne.settings_access import is_loopback, keys_file

OLDEST_REDIS = (6, 2)
FULL = 0.9
SOON = timedelta(days=30)
EXTRAS = {
    "app": "fastapi",
    "marks": "c2pa-python",
    "worker": "onnxruntime",
    "gpu": "onnxruntime-gpu",
    "openvino": "openvino",
    "export": "onnxscript",
    "training": "tensorboard",
    "otel": "opentelemetry-sdk",
}
"""A distribution of each extra by which it is recognised."""
State = Literal["sound", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """about: what was looked at. says: what was found, a sentence. mend: what to do, where something is to be done."""

    about: str
    state: State
    says: str
    mend: str = ""


def installed() -> Iterator[Finding]:
    """Which extras are here, and whether they get on."""
    found = {extra: _version(distribution) for extra, distribution in EXTRAS.items()}
    here = [f"{extra} ({EXTRAS[extra]} {text})" for extra, text in found.items() if text]
    yield Finding(
        "installed", "sound", f"personne {_version('personne') or 'from its sources'} with {', '.join(here)}."
    )
    if not found["app"] and not found["worker"] and not found["gpu"]:
        yield Finding("installed", "wrong", "Nothing that serves is here.", install("app", "worker"))
    if found["worker"] and found["gpu"]:
        mend = "pip uninstall onnxruntime onnxruntime-gpu, then install 'personne[worker]' or 'personne[gpu]'"
        yield Finding("installed", "wrong", "onnxruntime and onnxruntime-gpu overwrite each other's files.", mend)


def settings_said(settings: Settings) -> Iterator[Finding]:
    """Variables that set nothing, and doors that stand open."""
    for name in unknown_variables():
        yield Finding(
            "settings", "wrong", f"{name} is set, and no setting has that name.", "docs/settings.md lists them"
        )
    if not is_loopback(settings.host) and not settings.asks_for_keys(settings.host):
        mend = "leave out --open and make keys: personne keys new NAME"
        yield Finding("settings", "note", f"Whoever reaches {settings.host} may do everything.", mend)


def store(settings: Settings) -> Iterator[Finding]:
    """Whether the store can be read and written."""
    folder = settings.store
    if not folder.exists():
        yield Finding("store", "note", f"{folder} is not there; it is made when something is put into it.")
    elif not folder.is_dir():
        yield Finding("store", "wrong", f"{folder} is no folder.", "set PERSONNE_STORE to a folder")
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield Finding("store", "wrong", f"{folder} may not be read by this user.", f"chmod u+rx {folder}")
    elif not os.access(folder, os.W_OK):
        yield Finding("store", "note", f"{folder} can be read, not written: enough for a web, too little to import.")
    else:
        yield Finding("store", "sound", f"{folder} can be read and written.")


def models(settings: Settings) -> Iterator[Finding]:
    """Every model's manifest and hashes; whether the default one is there."""
    catalogue: Catalogue = models_here(settings)
    for refusal in catalogue.refusals:
        mend = f"delete it: rm -r {refusal.folder}; what is damaged can then be imported again"
        yield Finding("models", "wrong", refusal.reason, mend)
    names = sorted(entry.manifest.name for entry in catalogue)
    try:
        catalogue.named(settings.default_model)
    except ModelNotFound as error:
        yield Finding("models", "wrong", str(error), "set PERSONNE_DEFAULT_MODEL to one of these, or import it")
    else:
        yield Finding("models", "sound", f"{', '.join(names)}: the hashes of all graphs are right.")


def queue(settings: Settings) -> Iterator[Finding]:
    """Whether Redis is there, new enough, and forgets nothing."""
    if not settings.on_redis:
        yield Finding("queue", "sound", "In memory: `personne serve` holds it, and it ends with it.")
        return
    try:
        facts = inspect_redis(settings.queue)
    except QueueUnavailable as error:
        yield Finding("queue", "wrong", str(error), "start it, or set PERSONNE_QUEUE to where it is")
        return
    text = ".".join(map(str, facts.version))
    yield Finding("queue", "sound", f"{facts.address}: Redis {text}, answers in {facts.answers_ms:.1f} ms.")
    yield from _of_redis(facts)


def _of_redis(facts: RedisFacts) -> Iterator[Finding]:
    if facts.version < OLDEST_REDIS:
        yield Finding(
            "queue", "wrong", "It is older than 6.2 and lacks commands that are needed.", "install a newer Redis"
        )
    if facts.policy != "noeviction":
        says = f"When its memory is full it forgets jobs in silence (maxmemory-policy {facts.policy})."
        yield Finding("queue", "wrong", says, "redis-cli config set maxmemory-policy noeviction")
    if not facts.append_only:
        says = "It writes no append-only file: a crash of Redis loses the jobs that wait."
        yield Finding("queue", "note", says, "redis-cli config set appendonly yes")
    if facts.used_share is not None and facts.used_share > FULL:
        says = f"{facts.used_share:.0%} of its memory are taken; photos and results are refused soon."
        yield Finding("queue", "wrong", says, "raise maxmemory, or lower PERSONNE_CAP_SLOW and PERSONNE_RESULT_TTL_S")


def keys(settings: Settings) -> Iterator[Finding]:
    """Whether those can be let in who should be, and nobody else can read who that is."""
    file = keys_file(settings.store)
    try:
        found = KeyFile(file).read()
    except KeysUnreadable as error:
        yield Finding("keys", "wrong", str(error), f"put a copy of {file} back, or delete it and make new keys")
        return
    now = datetime.now(UTC)
    good = [key for key in found if not key.has_expired(now)]
    if settings.asks_for_keys(settings.host) and not good:
        yield Finding("keys", "wrong", "Keys are asked for, and there is no good one.", "personne keys new NAME")
    elif found:
        yield Finding("keys", "sound", f"{len(good)} good, {len(found) - len(good)} expired.")
    else:
        yield Finding("keys", "sound", f"None, and at {settings.host} none are asked for.")
    if found and _others_may_read(file):
        yield Finding("keys", "wrong", f"Other users may read {file}.", f"chmod 600 {file}")


def certificates(settings: Settings) -> Iterator[Finding]:
    """Whether pictures can be signed."""
    chain, key = settings.signing
    if chain is None or key is None:
        yield Finding("certificates", "note", "There are none: pictures leave unsigned.", "personne certs init")
        return
    if _version("cryptography") is None:
        yield Finding("certificates", "wrong", "cryptography is not installed.", install("marks"))
        return
    from marks import certificates as checked  # noqa: PLC0415  # needs what may be missing

    try:
        content = chain.read_bytes()
        checked.algorithm_of(content, key.read_bytes())
    except (CertificateRefused, OSError) as error:
        mend = "personne certs init --force, or set PERSONNE_CERTIFICATE and PERSONNE_CERTIFICATE_KEY"
        yield Finding("certificates", "wrong", f"{chain}: {error}", mend)
        return
    until = checked.certificates(content)[0].not_valid_after_utc
    if until - datetime.now(UTC) < SOON:
        yield Finding("certificates", "note", f"{chain} ends on {until:%Y-%m-%d}.", "renew it in time")
    else:
        yield Finding("certificates", "sound", f"{chain} fits its key and is good until {until:%Y-%m-%d}.")
    if _others_may_read(key):
        yield Finding("certificates", "wrong", f"Other users may read {key}.", f"chmod 600 {key}")


def _others_may_read(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
