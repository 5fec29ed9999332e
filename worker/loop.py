"""The worker: take, group, do, finish, until stopped."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from jobs.contract import Delivery, Lane, WorkerBeat
from jobs.errors import JobsError
from jobs.queue import JobSource
from jobs.tracing import Record, dropped
from worker.backlog import Backlog
from worker.config import WorkerConfig
from worker.loaded_models import LoadedModels
from worker.memory import IdleMemory
from worker.metrics import WorkerMetrics
from worker.tasks.task import AnyTask, tasks_for
from worker.workbench import Workbench

log = logging.getLogger(__name__)

TAKE_WAIT_MS = 250
"""How long an idle worker waits for jobs before it looks whether it should stop."""
OPENING_WAIT_MS = 20
"""How long it waits for jobs while a batch in hand waits for its model."""
SLOW_WAITING = 2
"""Most slow jobs in hand that wait for models: the lane's cap counts those in the lane, and others may be free."""
QUICK_BATCHES_WAITING = 8
"""So much of the quick lane: more than a batch, since behind a cold model's faces come those of warm ones."""
THREADS_OF = ((Lane.QUICK, Lane.IDLE), (Lane.SLOW,))
"""A thread each: nobody's face waits for somebody's 12 megapixel painting."""


class Worker:
    """Works on `source` with `models` until stopped.

    `run` blocks: in the main thread of a worker process, or in a thread of the web's. The source stays its owner's:
    close it after `run` has returned, and whatever is still held then goes back to the queue. tasks: by `kind` of the
    job; None: all that there are. record: takes the spans of jobs.
    """

    def __init__(
        self,
        config: WorkerConfig,
        source: JobSource,
        models: LoadedModels,
        tasks: Mapping[str, AnyTask] | None = None,
        record: Record = dropped,
    ) -> None:
        tasks = tasks_for(config, models.name_of, models.directions_of, models.entry_of) if tasks is None else tasks
        self.config = config
        self.metrics = WorkerMetrics()
        self._source = source
        self._models = models
        self._encoders = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="encode")
        self._kinds = tuple(task.works_with for task in tasks.values())
        self._workbench = Workbench(source, models, tasks, self.metrics, self._encoders, record=record)
        self._warm = False
        # Plain attributes, not events: a signal handler sets them, and an event's lock may be held by the very thread
        # that the signal interrupted.
        self._stop_asked = False
        self._stop_by: float | None = None
        self._running_in: int | None = None
        self._over = threading.Event()
        self._error: Exception | None = None

    @property
    def ready(self) -> bool:
        """The models that it starts with are warm, and jobs are being taken."""
        return self._warm and not self._stop_asked

    def run(self) -> None:
        """Open the models, then work until `stop`. Raises what `LoadedModels.open` raises, and what is a bug."""
        self._running_in = threading.get_ident()
        beats = self._start(self._keep_beating)
        self._wait_for([self._start(self._open_models)])
        self._wait_for([self._start(self._serve, lanes) for lanes in self._lanes_by_thread()])
        self._stop_asked = True
        self._workbench.close()
        self._over.set()
        beats.join(self.config.beat_every_s)
        self._encoders.shutdown(wait=False)
        self._models.close()
        log.info("worker %s: %s", self.config.worker_id, self.metrics.figures().summary)
        if self._error is not None:
            raise self._error

    def stop(self, within_s: float | None = None) -> None:
        """Finish the batches in hand, give back the rest. Returns when `run` has, within_s from the first call at the
        latest (None: stop_grace_s). From a signal handler in the thread that runs `run` it only asks. May be called
        often."""
        self._ask_to_stop(within_s)
        if self._running_in not in (None, threading.get_ident()):
            self._over.wait(max(0.0, (self._stop_by or 0.0) - time.monotonic()))

    def _ask_to_stop(self, within_s: float | None = None) -> None:
        if self._stop_by is None:
            self._stop_by = time.monotonic() + (self.config.stop_grace_s if within_s is None else within_s)
        self._stop_asked = True

    def _lanes_by_thread(self) -> list[tuple[Lane, ...]]:
        ours = (tuple(lane for lane in lanes if lane in self.config.lanes) for lanes in THREADS_OF)
        return [lanes for lanes in ours if lanes]

    def _open_models(self) -> None:
        self._models.open()
        self._workbench.rehearse()
        self._warm = True
        self._beat()

    def _serve(self, lanes: Sequence[Lane]) -> None:
        """Every turn takes if there is nothing left to do, and runs one batch."""
        backlog = Backlog(self._models.at_hand, self._models.batch_limit)
        encoding: list[Future[None]] = []
        while not self._stop_asked:
            backlog.add(self._take(lanes, backlog))
            batch = backlog.pop()
            if batch is not None:
                started = self._workbench.do(batch)
                # These were encoded while the batch ran. Waiting here keeps at most two batches' pictures in memory.
                _finish(encoding)
                encoding = started
        self._give_back(backlog.deliveries)
        _finish(encoding)

    def _take(self, lanes: Sequence[Lane], backlog: Backlog) -> list[Delivery]:
        """New jobs, when nothing in hand can run; quick ones also while only faces made ahead can."""
        slow = Lane.SLOW in lanes
        # Of the slow ones a single one: each takes seconds to minutes, and another worker may be free.
        most = 1 if slow else self._models.most_at_once
        room = (SLOW_WAITING if slow else QUICK_BATCHES_WAITING * most) - len(backlog.deliveries)
        most = min(most, room)
        coming = backlog.first()
        if coming is None and room <= 0:
            time.sleep(OPENING_WAIT_MS / 1000)
            return []
        if coming is None:
            wait_ms = OPENING_WAIT_MS if backlog.deliveries else TAKE_WAIT_MS
            taken = self._source.take(lanes, max_jobs=most, wait_ms=wait_ms)
        elif coming.lane is Lane.IDLE and Lane.QUICK in lanes and room > 0:
            taken = self._source.take([Lane.QUICK], max_jobs=most, wait_ms=0)
        else:
            return []
        return self._linger(taken, most) if taken else []

    def _linger(self, taken: list[Delivery], most: int) -> list[Delivery]:
        """What was taken, and what else comes into its lane within linger_ms, up to a full batch."""
        until = time.monotonic() + self.config.linger_ms / 1000
        while len(taken) < most and (left_ms := int((until - time.monotonic()) * 1000)) > 0:
            taken = taken + self._source.take([taken[0].lane], max_jobs=most - len(taken), wait_ms=left_ms)
        return taken

    def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        try:
            self._source.give_back(deliveries)
        except JobsError as error:
            log.warning("%d jobs could not be given back, their leases will end: %s", len(deliveries), error)

    def _keep_beating(self) -> None:
        idle = IdleMemory()
        while not self._over.is_set():
            if self._warm:
                self._models.follow_shelf()
            self._beat()
            idle.look(self.metrics.figures())
            self._over.wait(self.config.beat_every_s)

    def _beat(self) -> None:
        beat = WorkerBeat(
            worker_id=self.config.worker_id,
            models=self._models.digests(self._kinds) if self._warm else (),
            warm=self._models.warm(),
            lanes=tuple(self.config.lanes),
            device=self._models.device,
            ready=self.ready,
        )
        try:
            self._source.beat(beat)
        except JobsError as error:
            log.warning("the queue did not hear the heartbeat: %s", error)

    def _start(self, work: Callable[..., None], *arguments: Sequence[Lane]) -> threading.Thread:
        """A daemon, so that a run that hangs cannot keep a stopped process alive."""
        thread = threading.Thread(target=self._guard, args=(work, *arguments), name=work.__name__, daemon=True)
        thread.start()
        return thread

    def _guard(self, work: Callable[..., None], *arguments: Sequence[Lane]) -> None:
        """A thread that dies takes the worker with it: worse would be to beat on and take no more jobs."""
        try:
            work(*arguments)
        except Exception as error:
            self._error = self._error or error
            self._ask_to_stop()

    def _wait_for(self, threads: Sequence[threading.Thread]) -> None:
        """Until they end, or the grace is over. Joined in short waits, so that signals are handled in between."""
        for thread in threads:
            while thread.is_alive() and not self._overdue():
                thread.join(0.1)

    def _overdue(self) -> bool:
        return self._stop_by is not None and time.monotonic() >= self._stop_by


def _finish(encoding: Sequence[Future[None]]) -> None:
    for future in encoding:
        future.result()
