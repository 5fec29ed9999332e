"""Faces made ahead, in the web process's memory: a refresh takes milliseconds, and each face is given once."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from random import choice, uniform

from app.errands import Errands
from app.errors import AppError
from app.metrics import Meters
from app.ordering import Ordering, Wishes, draw_seed
from jobs.contract import GenerateJob, JobResult, Lane, PictureFormat
from jobs.errors import JobsError
from models.errors import ModelsError
from models.spare_faces import SPARE_PSI, spare_faces

_log = logging.getLogger(__name__)
MAKERS = 32
"""Faces on order at one time at most: a whole batch of the largest bucket, and no more of the idle lane than that."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Face:
    """A picture and the job that made it. spare: it came with the release, and others were given it too."""

    job: GenerateJob
    result: JobResult
    spare: bool = False


class ReadyFaces:
    """A pool of faces of the default model, psi and size as JPEG. wanted: how many it holds when full (0: no pool)."""

    def __init__(self, wanted: int, ordering: Ordering, errands: Errands, meters: Meters) -> None:
        self._ordering = ordering
        self._wanted = wanted
        self._errands = errands
        self._meters = meters
        self._faces: deque[Face] = deque()
        self._gaps = asyncio.Semaphore(wanted)
        self._makers: list[asyncio.Task[None]] = []
        meters.ready_faces_target.set(wanted)
        meters.ready_faces.set_function(lambda: len(self._faces))

    def __len__(self) -> int:
        return len(self._faces)

    @contextmanager
    def offer(self, job: GenerateJob) -> Iterator[Face | None]:
        """A face as this job asks, whatever its seed; None when the pool holds no such faces or is empty.

        It is given away where the block ends well, and stays in the pool where it ends in an error.
        """
        if not self._wanted or not self._asks_no_more(job):
            yield None
            return
        while self._faces and self._faces[0].job.model != job.model:
            # Made before the default model was replaced.
            self._faces.popleft()
            self._gaps.release()
        if not self._faces:
            self._meters.faces_from_pool.labels("no").inc()
            yield None
            return
        face = self._faces.popleft()
        try:
            yield face
        except BaseException:
            self._faces.appendleft(face)
            raise
        self._meters.faces_from_pool.labels("yes").inc()
        self._gaps.release()

    def spare(self, job: GenerateJob) -> Face | None:
        """One of those that came with the default model, for a job that asks no more than a face; None without any."""
        if not self._asks_no_more(job):
            return None
        faces = spare_faces(self._ordering.default_model.folder)
        if not faces:
            return None
        seed = choice(list(faces))
        made_by = replace(job, seed=seed, truncation_psi=SPARE_PSI)
        return Face(made_by, JobResult(faces[seed], job.format.media_type), spare=True)

    def start(self) -> None:
        """Begin to fill the pool, in the background of the running event loop."""
        self._makers = [asyncio.create_task(self._keep_making()) for _ in range(min(self._wanted, MAKERS))]

    async def stop(self) -> None:
        """Stop making; what is on order is cancelled."""
        for maker in self._makers:
            maker.cancel()
        for maker in self._makers:
            with suppress(asyncio.CancelledError):
                await maker
        self._makers = []

    async def _keep_making(self) -> None:
        while True:
            await self._gaps.acquire()
            self._faces.append(await self._made())

    def _asks_no_more(self, job: GenerateJob) -> bool:
        return replace(job, seed=0) == self._pattern()

    def _pattern(self) -> GenerateJob:
        """What the pool holds, but for the seed. Raises ModelNotFound while there is no default model."""
        return self._ordering.face(0, Wishes(), PictureFormat.JPEG)

    async def _made(self) -> Face:
        """A new face, however long it takes: with a full queue or without workers the pauses grow."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                job = replace(self._pattern(), seed=draw_seed())
                return Face(job, await self._errands.run(job, Lane.IDLE))
            except (AppError, JobsError, ModelsError) as error:
                _log.debug("No face was made ahead: %s", error)
            except Exception:
                # A bug; but who makes faces ahead must not end by it, or none would ever be ready again.
                _log.exception("No face was made ahead.")
            # Spread out, so that the makers do not come back all at once.
            await asyncio.sleep(pause_s * uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
