"""The queue of a single process: web and worker threads share it, nothing leaves memory. Same promises as on Redis.

Whoever waits for an outcome is woken by the thread that writes it, not by polling.
"""

from jobs.memory_queue.entries import Entries
from jobs.memory_queue.source import MemorySource
from jobs.memory_queue.submitter import MemorySubmitter
from jobs.queue import DEFAULT_POLICY, QueuePolicy

__all__ = ["MemoryQueue", "MemorySource", "MemorySubmitter"]


class MemoryQueue:
    """Both ends of one queue: `submitter` for the web's event loop, `source` for the worker's threads."""

    def __init__(self, policy: QueuePolicy = DEFAULT_POLICY) -> None:
        entries = Entries(policy)
        self.submitter = MemorySubmitter(entries)
        self.source = MemorySource(entries)
