"""A web that asks for keys, and keys to knock with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.access.keys import Key, Scope, digest_of, draw_key, id_of
from app.access.keys_file import KeyFile
from app.config import AccessConfig, AppConfig
from tests.app.conftest import NO_POOL

SECRET = "x" * 32


def keyed(folder: Path, **access: object) -> AppConfig:
    """A config that asks for the keys of a folder."""
    config = AccessConfig(keys=folder / "keys.json", share_secrets=(SECRET,))
    return replace(NO_POOL, access=replace(config, **access))  # type: ignore[arg-type]


def make_key(folder: Path, *scopes: Scope, expired: bool = False, **limits: int) -> str:
    """A key that is in the file, as its holder has it."""
    sent, now = draw_key(), datetime.now(UTC)
    digest = digest_of(sent)
    expires = now - timedelta(seconds=1) if expired else None
    KeyFile(folder / "keys.json").add(Key(id_of(digest), digest, "somebody", scopes, now, expires, **limits))
    return sent


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
