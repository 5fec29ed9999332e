"""The catalogue while the service runs: a model put into the store is found, one taken away vanishes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.catalogue import (
    BUNDLED,
    Catalogue,
    ModelEntry,
    Refusal,
    Source,
    catalogue_of,
    model_folders,
    opened,
    sha256_of,
)

LOOK_EVERY_S = 2.0
"""A look at an unchanged store is one `stat` a file."""

FileStamp = tuple[Path, int, int]
"""A file's path, bytes and time of change in nanoseconds: while they stay, so does its hash."""

log = logging.getLogger(__name__)


class LiveCatalogue:
    """Follows the store. `now` is a whole, immutable Catalogue, which whoever took it may keep for a request's length.

    Folders that have not changed are not opened again, and a file is hashed once. Thread-safe.
    """

    def __init__(self, store: Path | None, bundled: Path = BUNDLED) -> None:
        self._roots = (store, bundled)
        self._looking = threading.Lock()
        self._hashes: dict[FileStamp, str] = {}
        self._stamps: dict[Path, frozenset[FileStamp]] = {}
        self._found: dict[Path, ModelEntry | Refusal] = {}
        self._now = Catalogue({})
        self.look()

    @property
    def now(self) -> Catalogue:
        return self._now

    def look(self) -> Catalogue:
        """Look at the store now, and open what has changed. Waits while another thread looks."""
        with self._looking:
            folders = model_folders(*self._roots)
            stamps = {folder: _stamps(folder) for folder, _ in folders}
            if stamps != self._stamps:
                found = {folder: self._looked_at(folder, source, stamps[folder]) for folder, source in folders}
                now = catalogue_of(found.values())
                _tell(self._now, now, at_first=not self._found)
                self._found, self._stamps = found, stamps
                self._forget_hashes()
                self._now = now
            return self._now

    @contextmanager
    def followed(self, every_s: float = LOOK_EVERY_S) -> Iterator["LiveCatalogue"]:
        """While this lasts, a thread looks at the store every so often."""
        over = threading.Event()

        def keep_looking() -> None:
            while not over.wait(every_s):
                try:
                    self.look()
                except OSError as error:
                    # A volume that is away for a moment takes no model away.
                    log.warning("the store cannot be read: %s", error)

        thread = threading.Thread(target=keep_looking, name="catalogue", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join(every_s)

    def _looked_at(self, folder: Path, source: Source, stamps: frozenset[FileStamp]) -> ModelEntry | Refusal:
        if stamps == self._stamps.get(folder):
            return self._found[folder]
        return opened(folder, source, self._hash_of)

    def _hash_of(self, path: Path) -> str:
        stamp = _stamp(path)
        if stamp not in self._hashes:
            self._hashes[stamp] = sha256_of(path)
        return self._hashes[stamp]

    def _forget_hashes(self) -> None:
        there = {stamp for stamps in self._stamps.values() for stamp in stamps}
        self._hashes = {stamp: digest for stamp, digest in self._hashes.items() if stamp in there}


def _stamps(folder: Path) -> frozenset[FileStamp]:
    try:
        return frozenset(_stamp(path) for path in folder.iterdir())
    except FileNotFoundError:
        # It vanished between two looks at it; the next look sees it gone.
        return frozenset()


def _stamp(path: Path) -> FileStamp:
    status = path.stat()
    return path, status.st_size, status.st_mtime_ns


def _tell(before: Catalogue, after: Catalogue, *, at_first: bool) -> None:
    for refusal in after.refusals:
        if refusal not in before.refusals:
            log.warning("%s", refusal.reason)
    then, now = ({entry.folder: entry for entry in catalogue} for catalogue in (before, after))
    for entry in [entry for folder, entry in now.items() if entry != then.get(folder)]:
        if not at_first:
            # What is there from the start is told when it is opened.
            log.info("%s (%s) is in the catalogue", entry.manifest.name, entry.manifest.digest)
        if entry.directions_refused:
            log.warning("%s is served without directions: %s", entry.manifest.name, entry.directions_refused)
    for entry in [entry for folder, entry in then.items() if folder not in now]:
        log.info("%s (%s) has gone from the catalogue", entry.manifest.name, entry.manifest.digest)
