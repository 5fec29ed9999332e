"""The file that keys are kept in: digests as JSON in the store, written whole or not at all, followed while we run."""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app.access.keys import Key, KeyRing, Scope
from app.errors.access import KeysUnreadable

VERSION = 1
_log = logging.getLogger(__name__)


class KeyFile:
    """Keys on disk. `ring` follows the file: a key that was revoked opens nothing from the next request on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] | None = None
        self._ring = KeyRing()

    @property
    def ring(self) -> KeyRing:
        """The keys as they are now. Raises KeysUnreadable, at every call until the file is sound again."""
        stamp = _stamp(self.path)
        if stamp != self._seen:
            self._ring = KeyRing(self.read())
            self._seen = stamp
        return self._ring

    def read(self) -> list[Key]:
        """What the file holds; nothing where there is none. Raises KeysUnreadable."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        try:
            return _keys_of(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable(f"{type(error).__name__}: {error}") from error

    def add(self, key: Key) -> None:
        """Raises KeysUnreadable, and OSError where it cannot be written."""
        with self._changing() as keys:
            keys.append(key)

    def revoke(self, key_id: str) -> Key | None:
        """The key that was there under this id, or under the only id that begins so. Raises KeysUnreadable, OSError."""
        with self._changing() as keys:
            found = [key for key in keys if key.id.startswith(key_id)]
            if len(found) != 1:
                return None
            keys.remove(found[0])
        return found[0]

    @contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """The keys, to be changed; two commands at once take turns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = self.read()
            before = list(keys)
            yield keys
            if keys != before:
                self._write(keys)

    def _write(self, keys: Iterable[Key]) -> None:
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        document = {"version": VERSION, "keys": [_document_of(key) for key in keys]}
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)

    def _unreadable(self, why: str) -> KeysUnreadable:
        _log.error("%s cannot be read, and nobody is let in: %s", self.path, why)
        return KeysUnreadable(f"The file of the keys, {self.path.name}, cannot be read; the service's log says why.")


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes whenever the file does. Empty where there is none."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _document_of(key: Key) -> dict[str, Any]:
    return {
        "digest": key.digest,
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created": key.created.isoformat(),
        "expires": key.expires and key.expires.isoformat(),
        "per_minute": key.per_minute,
        "per_day": key.per_day,
    }


def _keys_of(document: dict[str, Any]) -> list[Key]:
    """Raises ValueError, KeyError, TypeError for what is no such document."""
    if document["version"] != VERSION:
        raise ValueError(f"version {document['version']!r} is unknown here")
    return [_key_of(one) for one in document["keys"]]


def _key_of(document: dict[str, Any]) -> Key:
    expires = document["expires"]
    key = Key(**{**document, "scopes": tuple(Scope(scope) for scope in document["scopes"])})
    return replace(
        key,
        created=datetime.fromisoformat(document["created"]),
        expires=None if expires is None else datetime.fromisoformat(expires),
    )
