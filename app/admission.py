"""How many bytes of uploads the web holds at one moment: whoever comes when the room is full is refused unread."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import UploadsBusy


class UploadRoom:
    """Room for so many bytes, of one event loop."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes

    @contextmanager
    def holding(self, count: int) -> Iterator[None]:
        """While this lasts, so many bytes are taken. Raises UploadsBusy when there are not so many left."""
        if count > self._free:
            raise UploadsBusy
        self._free -= count
        try:
            yield
        finally:
            self._free += count
