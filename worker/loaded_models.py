"""The models that a worker has in memory, by digest: opened when asked for, the least recently used goes first."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from jobs.contract import Lane
from models.catalogue import ModelEntry, Shelf
from models.directions import NO_DIRECTIONS, Directions
from models.engines.buckets import default_batch_sizes
from models.engines.devices import runs_on_cpu
from models.engines.errors import EngineRefused
from models.manifest import ModelManifest
from worker.config import WorkerConfig
from worker.errors import ModelNotLoaded, ModelUnusable, NothingToServe, WorkerError
from worker.loaded_model import LoadedModel, largest_batch, memory_mb, open_model

log = logging.getLogger(__name__)

RETRY_S = 60.0
"""A model that could not be opened is not tried again for so long, unless its folder changes."""
KEPT_S = 5.0
"""A model that was just opened is not closed for so long before its first batch: those who wait for two models, where
there is room for one, would else see each closed again just before its turn."""


@dataclass
class _Place:
    """A model in memory, how many batches hold it now, and until when it stays whatever else is asked for."""

    model: LoadedModel
    megabytes: int
    kept_until: float
    holders: int = 0

    @property
    def may_go(self) -> bool:
        return not self.holders and time.monotonic() >= self.kept_until


_DONE: Future[None] = Future()
_DONE.set_result(None)


@dataclass(frozen=True)
class _Failure:
    """Why a model could not be opened. entry: its folder as it was; until: when it may be tried again."""

    entry: ModelEntry
    error: ModelUnusable
    until: float


class LoadedModels:
    """All of the shelf can be asked for (or those that the configuration names); what is in memory is warm.

    Thread-safe. Models are opened one after the other in a thread of their own, so that warm ones go on meanwhile, and
    two lanes that ask for one model wait for one opening. What a batch holds is never closed.
    """

    def __init__(self, shelf: Shelf, config: WorkerConfig) -> None:
        self._shelf = shelf
        self._config = config
        # Oldest use first. Guarded, with all below, by the condition, which is notified when anything becomes free.
        self._open: OrderedDict[str, _Place] = OrderedDict()
        self._opening: dict[str, Future[None]] = {}
        self._failures: dict[str, _Failure] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._opener = ThreadPoolExecutor(1, thread_name_prefix="open")
        self._device: str | None = None

    def open(self) -> None:
        """Open and warm the default model and those that the configuration names, or all where it names none.

        As many as there is room for. One that cannot be opened stops no other. Raises NothingToServe when none is
        left, EngineRefused for a device that is not to be had, ModelNotFound for a name that the shelf does not know.
        """
        reasons = [refusal.reason for refusal in self._shelf.now.refusals]
        for entry in self._at_start():
            if self._open and self._used() + self._needed(entry) > self._limit:
                log.info("%s is opened when it is asked for: there is no room for all", entry.manifest.name)
                continue
            try:
                self._ask(entry.manifest.digest).result()
            except ModelUnusable as error:
                if isinstance(error.__cause__, EngineRefused):
                    raise error.__cause__ from None
                reasons.append(f"{entry.folder}: {error.__cause__ or error}")
        if not self._open:
            raise NothingToServe(reasons)

    @contextmanager
    def held(self, digest: str) -> Iterator[LoadedModel]:
        """A model to run; it stays open for as long as this lasts. Waits until it is open, if it is not.

        Raises ModelNotLoaded for one that is not on the shelf, ModelUnusable for one that cannot be opened.
        """
        place = self._hold(digest)
        try:
            yield place.model
        finally:
            with self._changed:
                place.holders -= 1
                self._changed.notify_all()

    def at_hand(self, digest: str) -> bool:
        """Whether `held` would answer at once, be it with an error. If not, the model is being opened from now on."""
        try:
            return self._ask(digest).done()
        except WorkerError:
            return True

    def digests(self, kinds: tuple[type[ModelManifest], ...] = (ModelManifest,)) -> tuple[str, ...]:
        """Of the models of these kinds that may be asked for."""
        return tuple(entry.manifest.digest for entry in self._served() if isinstance(entry.manifest, kinds))

    def name_of(self, digest: str) -> str:
        """A model's name; its digest where it has just left the shelf."""
        catalogue = self._shelf.now
        return catalogue.with_digest(digest).manifest.name if digest in catalogue else digest

    def directions_of(self, digest: str) -> Directions:
        """A model's directions as they are now: new ones need no model opened again."""
        catalogue = self._shelf.now
        return catalogue.with_digest(digest).directions if digest in catalogue else NO_DIRECTIONS

    def entry_of(self, digest: str) -> ModelEntry | None:
        """A model as it is on the shelf now; None where it has just left it."""
        catalogue = self._shelf.now
        return catalogue.with_digest(digest) if digest in catalogue else None

    def warm(self) -> tuple[str, ...]:
        """Of the models that are open and warm."""
        with self._changed:
            return tuple(self._open)

    @property
    def device(self) -> str:
        """Where the models run; what the configuration asks for until one is open."""
        return self._device or self._config.device

    def batch_limit(self, digest: str, lane: Lane) -> int:
        """Most jobs of a lane that run together on that model.

        On the CPU a batch of eight takes about five times as long as one, so faces made ahead run singly there:
        somebody who waits gets the next turn after one picture, not after eight.
        """
        catalogue = self._shelf.now
        if (lane is Lane.IDLE and runs_on_cpu(self.device)) or digest not in catalogue:
            return 1
        return largest_batch(catalogue.with_digest(digest).manifest, self.device)

    @property
    def most_at_once(self) -> int:
        """Most jobs that are worth taking from the queue at once."""
        return default_batch_sizes(self.device)[-1]

    def follow_shelf(self) -> None:
        """Close what is no longer there, as soon as no batch holds it; a new default model is opened at once."""
        catalogue = self._shelf.now
        with self._changed:
            gone = [digest for digest, place in self._open.items() if digest not in catalogue and place.may_go]
            places = [self._open.pop(digest) for digest in gone]
        for place in places:
            log.info("%s is closed: it has left the catalogue", place.model.manifest.name)
            place.model.close()
        if self._default_digest is not None:
            self.at_hand(self._default_digest)

    def close(self) -> None:
        """Free the device."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._opener.shutdown(wait=False, cancel_futures=True)
        while self._open:
            self._open.popitem()[1].model.close()

    def _served(self) -> list[ModelEntry]:
        names = self._config.models
        return [entry for entry in self._shelf.now if not names or entry.manifest.name in names]

    def _at_start(self) -> list[ModelEntry]:
        catalogue, names = self._shelf.now, list(self._config.models)
        default = self._config.default_model
        if default is not None and (default in names or not names):
            names = [default, *(name for name in names if name != default)]
        return [catalogue.named(name) for name in names] if names else list(catalogue)

    def _hold(self, digest: str) -> _Place:
        while True:
            with self._changed:
                place = self._open.get(digest)
                if place is not None:
                    self._open.move_to_end(digest)
                    place.holders += 1
                    place.kept_until = 0.0
                    return place
            # Between its opening and our hold another model may have taken its room: then once more.
            self._ask(digest).result()

    def _ask(self, digest: str) -> Future[None]:
        """Its opening, begun now if nobody asked before. Raises ModelNotLoaded, or ModelUnusable as it did lately."""
        entry = next((entry for entry in self._served() if entry.manifest.digest == digest), None)
        with self._changed:
            if digest in self._open:
                return _DONE
            if entry is None or self._closed:
                raise ModelNotLoaded(digest)
            failure = self._failures.get(digest)
            if failure is not None and failure.entry is entry and time.monotonic() < failure.until:
                raise failure.error
            if digest not in self._opening:
                self._opening[digest] = self._opener.submit(self._bring_in, entry)
            return self._opening[digest]

    def _bring_in(self, entry: ModelEntry) -> None:
        """In the opener's thread."""
        manifest = entry.manifest
        try:
            place = self._opened(entry)
        except Exception as error:
            # Any of the runtime's own errors, whose classes are not ours to list.
            log.warning("%s cannot be opened: %s", entry.folder, error)
            unusable = error if isinstance(error, ModelUnusable) else ModelUnusable(manifest.name)
            with self._changed:
                del self._opening[manifest.digest]
                self._failures[manifest.digest] = _Failure(entry, unusable, time.monotonic() + RETRY_S)
            raise unusable from (None if unusable is error else error)
        with self._changed:
            if self._closed:
                place.model.close()
                return
            self._open[manifest.digest] = place
            self._failures.pop(manifest.digest, None)
            del self._opening[manifest.digest]
        log.info("%s (%s) is warm on %s", manifest.name, manifest.digest, self.device)

    def _opened(self, entry: ModelEntry) -> _Place:
        self._make_room(entry)
        model = open_model(entry, self._config, self.device)
        try:
            model.warm()
        except BaseException:
            model.close()
            raise
        self._device = model.device
        return _Place(model, self._needed(entry), time.monotonic() + KEPT_S)

    def _make_room(self, entry: ModelEntry) -> None:
        """Close the least recently used until there is room; waits while batches hold them. Raises ModelUnusable."""
        needed = self._needed(entry)
        with self._changed:
            stays = sum(place.megabytes for place in self._open.values() if self._stays(place))
            if needed + stays > self._limit:
                raise ModelUnusable(
                    entry.manifest.name,
                    f"it needs about {needed} MB, and PERSONNE_MODEL_MEMORY_MB leaves {max(0, self._limit - stays)}",
                )
            while self._used() + needed > self._limit:
                if self._closed:
                    raise ModelNotLoaded(entry.manifest.digest)
                free = next((d for d, place in self._open.items() if place.may_go and not self._stays(place)), None)
                if free is None:
                    self._changed.wait(0.1)
                    continue
                place = self._open.pop(free)
                log.info("%s is closed to make room for %s", place.model.manifest.name, entry.manifest.name)
                place.model.close()

    def _stays(self, place: _Place) -> bool:
        """The default model is always warm: the web counts as ready for as long as it is."""
        return place.model.manifest.digest == self._default_digest

    @property
    def _default_digest(self) -> str | None:
        name = self._config.default_model
        return next((entry.manifest.digest for entry in self._served() if entry.manifest.name == name), None)

    def _used(self) -> int:
        return sum(place.megabytes for place in self._open.values())

    def _needed(self, entry: ModelEntry) -> int:
        return memory_mb(entry.manifest, self._config, self.device)

    @property
    def _limit(self) -> float:
        limit = self._config.model_memory_mb
        return float("inf") if limit is None else limit
