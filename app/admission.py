"""How many bytes of uploads the web holds at one moment: whoever comes when the room is full is refused unread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import UploadsBusy

Take = Callable[[int], None]
"""Take room for so many bytes more. Raises UploadsBusy when there are not so many left."""


class UploadRoom:
    """Room for so many bytes, of one event loop. What has arrived takes it, not what is announced, for that costs
    nothing."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes

    @contextmanager
    def entered(self, announced: int) -> Iterator[Take]:
        """While this lasts, what was taken stays taken. Raises UploadsBusy where what is announced has no room now."""
        if announced > self._free:
            raise UploadsBusy
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if count > self._free:
                raise UploadsBusy
            self._free -= count
            taken += count

        try:
            yield take
        finally:
            self._free += taken
