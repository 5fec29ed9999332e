"""A result too large to be held whole: it leaves in parts while it is made, and another attempt goes on behind them."""

import io
import uuid
from collections.abc import Callable

from jobs.contract import Delivery, Parts
from jobs.queue import JobSource
from worker.errors import DatasetTooLarge, NobodyWaits

PART_BYTES = 1024 * 1024
"""A part is let go of when it is at least so large."""
Continues = Callable[[bytes, int], bool]
"""Whether a part that another attempt has kept, from that byte of the whole on, is what would be written there."""


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

    def go_on(self, continues: Continues) -> None:
        """Behind the parts that another attempt at the job has kept, up to the first that does not continue them.

        Before anything is written. Raises QueueUnavailable.
        """
        token, parts = self._source.earlier_parts(self._delivery)
        for part in parts:
            if not continues(part, self._sent_bytes):
                break
            # From now on ours: what is put under another token would erase it.
            self._token = token
            self._sent += 1
            self._sent_bytes += len(part)

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
        """Let go of what was written, if it is a part: call it where another attempt could go on.

        Raises NobodyWaits, LeaseLost, QueueUnavailable.
        """
        if self._kept.tell() >= PART_BYTES:
            self._put()

    def close(self) -> Parts:
        """Send the rest; where all of it lies. Raises NobodyWaits, LeaseLost, QueueUnavailable."""
        if self._kept.tell():
            self._put()
        return Parts(self._token, self._sent, self._sent_bytes)

    def _put(self) -> None:
        part = self._kept.getvalue()
        if not self._source.put_part(self._delivery, self._token, self._sent, part):
            raise NobodyWaits
        self._sent += 1
        self._sent_bytes += len(part)
        self._kept = io.BytesIO()
