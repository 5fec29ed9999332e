"""A result too large to be held whole: it leaves in parts while it is made."""

import io
import uuid

from jobs.contract import Delivery, Parts
from jobs.queue import JobSource
from worker.errors import DatasetTooLarge, NobodyWaits

PART_BYTES = 1024 * 1024


class PartsOut:
    """A file that can be written, and sought in as far as it has not been sent. most_bytes: of the whole.

    `write` and `seek` are what `zipfile` needs to put a picture's checksum before it, so that the zip can be read as it
    comes, too.
    """

    def __init__(self, source: JobSource, delivery: Delivery, most_bytes: int) -> None:
        self._source = source
        self._delivery = delivery
        self._most_bytes = most_bytes
        self._token = uuid.uuid4().hex
        self._kept = io.BytesIO()
        self._sent_bytes = self._sent = 0

    def write(self, data: bytes) -> int:
        """Raises DatasetTooLarge."""
        written = self._kept.write(data)
        if self.tell() > self._most_bytes:
            raise DatasetTooLarge(self._most_bytes)
        return written

    def tell(self) -> int:
        return self._sent_bytes + self._kept.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Within what has not been sent."""
        at = offset - self._sent_bytes if whence == io.SEEK_SET else offset
        return self._sent_bytes + self._kept.seek(at, whence)

    def flush(self) -> None:
        """Nothing to do: `send` decides."""

    def send(self) -> None:
        """Let go of all whole parts. Raises NobodyWaits, QueueUnavailable."""
        data = self._kept.getvalue()
        whole = len(data) - len(data) % PART_BYTES
        for start in range(0, whole, PART_BYTES):
            self._put(data[start : start + PART_BYTES])
        if whole:
            self._kept = io.BytesIO()
            self._kept.write(data[whole:])

    def close(self) -> Parts:
        """Send the rest; where all of it lies. Raises NobodyWaits, QueueUnavailable."""
        self.send()
        if rest := self._kept.getvalue():
            self._put(rest)
        return Parts(self._token, self._sent, self._sent_bytes)

    def _put(self, part: bytes) -> None:
        if not self._source.put_part(self._delivery, self._token, self._sent, part):
            raise NobodyWaits
        self._sent += 1
        self._sent_bytes += len(part)
