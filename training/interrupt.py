"""Ctrl-C ends a run between two steps, where its state is whole; a second one ends it at once."""

import signal
import threading
from types import FrameType


class Interrupt:
    """A context that takes SIGINT (and SIGTERM, which a scheduler sends) as a wish to stop after this step."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Interrupt":
        # Elsewhere than in the main thread Python takes no handlers.
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._note) for each in self.SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)  # type: ignore[arg-type]  # what it was before
        self._before = {}
