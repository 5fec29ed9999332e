"""personne keys: makes, lists and revokes the keys that a service asks for."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.access.keys import Key, Scope, digest_of, draw_key, id_of
from app.access.keys_file import KeyFile
from app.errors.access import KeysUnreadable
from personne.errors import KeyNotFound, SettingRefused


def new_key(
    file: Path, name: str, scopes: str, *, days: int | None, per_minute: int | None, per_day: int | None
) -> tuple[str, Key]:
    """A key, which nobody can show again, and what is kept of it. Raises SettingRefused, OSError."""
    sent, now = draw_key(), datetime.now(UTC).replace(microsecond=0)
    digest = digest_of(sent)
    key = Key(
        id=id_of(digest),
        digest=digest,
        name=name,
        scopes=read_scopes(scopes),
        created=now,
        expires=None if days is None else now + timedelta(days=days),
        per_minute=per_minute,
        per_day=per_day,
    )
    try:
        KeyFile(file).add(key)
    except KeysUnreadable as error:
        raise SettingRefused(str(error)) from None
    return sent, key


def list_keys(file: Path, *, as_json: bool) -> None:
    """Print what is kept of each key. Raises SettingRefused."""
    try:
        keys = KeyFile(file).read()
    except KeysUnreadable as error:
        raise SettingRefused(str(error)) from None
    console, now = Console(soft_wrap=True), datetime.now(UTC)
    if as_json:
        console.print_json(json.dumps([_told(key, now) for key in keys]))
        return
    if not keys:
        console.print("There are no keys.")
        return
    table = Table(box=None)
    for title in ("id", "name", "scopes", "made", "until", "a minute", "a day"):
        table.add_column(title, no_wrap=title in {"id", "made"})
    for key in keys:
        until = "" if key.expires is None else f"{key.expires:%Y-%m-%d}{' (over)' if key.has_expired(now) else ''}"
        limits = [str(limit) if limit is not None else "" for limit in (key.per_minute, key.per_day)]
        table.add_row(key.id, key.name, ", ".join(key.scopes), f"{key.created:%Y-%m-%d}", until, *limits)
    console.print(table)


def revoke_key(file: Path, key_id: str) -> Key:
    """Forget a key by its id, or the beginning of it. Raises KeyNotFound, SettingRefused, OSError."""
    try:
        key = KeyFile(file).revoke(key_id)
    except KeysUnreadable as error:
        raise SettingRefused(str(error)) from None
    if key is None:
        raise KeyNotFound(key_id)
    return key


def read_scopes(text: str) -> tuple[Scope, ...]:
    """`read,generate` as scopes. Raises SettingRefused."""
    named = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in named if name not in set(Scope)]
    if unknown or not named:
        raise SettingRefused(f"--scopes {text!r}: a scope is one of {', '.join(Scope)}, with commas between.")
    return tuple(scope for scope in Scope if scope in named)


def _told(key: Key, now: datetime) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created": key.created.isoformat(),
        "expires": key.expires and key.expires.isoformat(),
        "expired": key.has_expired(now),
        "per_minute": key.per_minute,
        "per_day": key.per_day,
    }
