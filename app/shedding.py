"""Load shedding: who would wait too long is refused at once, so that those who are let in do not wait.

While all goes well a burst may queue: about a second of work. Once somebody had to be refused, the queue is one that
stands, and only costs everybody time: until demand falls, no more are let in than are answered in half again the time
of one alone. By Little's law that is the rate of answers times that time, whatever the device, its batches and the
number of workers: none of them has to be known here (Maurer, Fail at Scale, ACM Queue 13(8), 2015, has the two limits).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from re import compile as pattern
from time import monotonic

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Overloaded
from app.replies import error_reply

BURST = 128
BURST_S = 1.0
"""While all goes well so many may be in hand, or so many seconds of work where that is more."""
STRETCH = 1.5
"""How much longer than alone an answer may take while more is asked than can be made; the slowest take longer still."""
FEWEST = 2
"""One that is worked on, and one that waits meanwhile, lest workers wait for us."""
WINDOW_S = 1.0
CALM_BELOW = 0.1
"""A second in which a smaller share was refused ends the overload."""
_QUICKLY, _SLOWLY = 1 / 8, 1 / 32
_FACES = pattern(r"/face|/v1/faces/[^/]+")


class Shedding:
    """What one web has in hand, of one event loop.

    longest_s: nobody is let in whose turn would come later. clock: tells seconds, as a test wants them.
    """

    def __init__(self, longest_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._in_hand = 0
        self._alone_s: float | None = None
        self._gap_s: float | None = None
        self._worked_since = 0.0
        self._overloaded = False
        self._window_began = 0.0
        self._asked = self._refused = 0

    @property
    def limit(self) -> int:
        """How many may be in hand now."""
        if self._gap_s is None or self._alone_s is None:
            return BURST
        if self._overloaded:
            return max(FEWEST, round(STRETCH * self._alone_s / self._gap_s))
        return max(FEWEST, round(min(max(BURST, BURST_S / self._gap_s), self._longest_s / self._gap_s)))

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """While this lasts, one more is in hand; that it ends without an error counts as an answer.

        Raises Overloaded.
        """
        began = self._clock()
        self._look_back(began)
        self._asked += 1
        if self._in_hand >= self.limit:
            self._refused += 1
            self._overloaded = True
            raise Overloaded(self.limit)
        alone = self._in_hand == 0
        if alone:
            self._worked_since = began
        self._in_hand += 1
        try:
            yield
            self._learn(began, alone=alone)
        finally:
            self._in_hand -= 1

    def knock(self) -> None:
        """Raises Overloaded where `one_more` would do so anyway, before anything was spent on the request."""
        self._look_back(self._clock())
        if self._overloaded and self._in_hand >= self.limit:
            self._asked += 1
            self._refused += 1
            raise Overloaded(self.limit)

    def _learn(self, began: float, *, alone: bool) -> None:
        now = self._clock()
        # Time between two answers, while there was anything to do: what a whole batch took falls on its first.
        self._gap_s = _mean(self._gap_s, now - self._worked_since, _SLOWLY)
        self._worked_since = now
        took_s = now - began
        # Among others it takes longer, and tells of one alone only where it was quicker still.
        if alone or self._alone_s is None or took_s < self._alone_s:
            self._alone_s = _mean(self._alone_s, took_s, _QUICKLY)

    def _look_back(self, now: float) -> None:
        """Once a second: is it over?"""
        age_s = now - self._window_began
        if age_s < WINDOW_S:
            return
        if age_s > 2 * WINDOW_S or self._refused < CALM_BELOW * self._asked:
            self._overloaded = False
        self._window_began = now
        self._asked = self._refused = 0


def _mean(before: float | None, seen: float, weight: float) -> float:
    return seen if before is None else before + weight * (seen - before)


@dataclass(frozen=True, slots=True)
class Shed:
    """The route of requests that met none, as figures name it."""

    path: str = "shed"


class ShedFaces:
    """ASGI middleware: in an overload, faces are refused before their parameters are read. That takes a ninth of the
    time, and while ten times as much is asked as can be made, refusing is most of what there is to do.

    has_ready: whether a face made ahead could be given, which costs no more than a refusal.
    """

    def __init__(self, app: ASGIApp, shedding: Shedding, has_ready: Callable[[], bool]) -> None:
        self._app = app
        self._shedding = shedding
        self._has_ready = has_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and self._must_be_made(scope):
            try:
                self._shedding.knock()
            except Overloaded as error:
                scope["route"] = Shed()
                await error_reply(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _must_be_made(self, scope: Scope) -> bool:
        path: str = scope["path"]
        if _FACES.fullmatch(path) is None or (path == "/face" and self._has_ready()):
            return False
        headers = Headers(scope=scope)
        # Who has it already is told so, and who can wait may queue.
        return "if-none-match" not in headers and "prefer" not in headers
