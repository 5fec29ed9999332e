"""Both ends of the queue that the settings name."""

from jobs.memory_queue import MemoryQueue, MemorySubmitter
from jobs.notices import Notices
from jobs.queue import JobSource, JobSubmitter
from jobs.redis_queue import RedisNotices, RedisSource, RedisSubmitter
from personne.errors import SettingRefused
from personne.settings import Settings
from worker.config import WorkerConfig


def both_ends(settings: Settings, worker: WorkerConfig) -> tuple[JobSubmitter, JobSource]:
    """The ends of one queue, for a process that has both."""
    if settings.on_redis:
        return submitter(settings), source(settings, worker)
    queue = MemoryQueue(settings.queue_policy())
    return queue.submitter, queue.source


def submitter(settings: Settings) -> JobSubmitter:
    """The app's end. Raises SettingRefused for the memory queue, which no other process can reach."""
    return RedisSubmitter(_reachable(settings), settings.queue_policy())


def source(settings: Settings, worker: WorkerConfig) -> JobSource:
    """The worker's end. Raises SettingRefused for the memory queue, which no other process can reach."""
    return RedisSource(_reachable(settings), worker.worker_id, settings.queue_policy())


def notices(settings: Settings, submitter: JobSubmitter | None = None) -> Notices:
    """Where the ends of jobs are that webhooks are to tell. submitter: of the same process, where there is one.

    Raises SettingRefused for the memory queue, which no other process can reach.
    """
    if isinstance(submitter, MemorySubmitter):
        return submitter.notices
    return RedisNotices(_reachable(settings))


def _reachable(settings: Settings) -> str:
    if not settings.on_redis:
        raise SettingRefused(
            "The memory queue lives inside `personne serve`; processes of their own need --queue redis://HOST:6379."
        )
    return settings.queue
