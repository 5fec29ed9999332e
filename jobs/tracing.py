"""Which request a piece of work belongs to: the W3C's trace context, carried from the web through the queue to workers.

Ids are made and passed on whether anybody collects spans or not, so that logs of all processes can be joined by them.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?", re.ASCII)
SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span's place: trace_id in 32, span_id in 16 hexadecimal digits. sampled: whether anybody wants it recorded."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """As a header has it."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work that is over. parent: span_id of the work that asked for it. failed: a sentence, or nothing."""

    name: str
    context: TraceContext
    parent: str | None
    kind: Literal["server", "consumer"]
    started_ns: int
    ended_ns: int
    attributes: Mapping[str, str | int | float] = field(default_factory=dict)
    failed: str = ""


Record = Callable[[Span], None]
"""Takes a span that is over; must not block."""

CONTEXT: ContextVar[TraceContext | None] = ContextVar("trace", default=None)
JOB_ID: ContextVar[str | None] = ContextVar("job_id", default=None)
"""What log lines of this thread or request are about."""


def dropped(_: Span) -> None:
    """A Record for those who collect nothing."""


def read_traceparent(header: str | None) -> TraceContext | None:
    """None where there is none, or where it is malformed: the trace then begins here, as the standard asks."""
    found = _TRACEPARENT.fullmatch(header.strip()) if header else None
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return TraceContext(found[1], found[2], bool(int(found[3], 16) & SAMPLED))


def below(parent: TraceContext | None) -> TraceContext:
    """A place for a new span, in its parent's trace or in a new one."""
    if parent is None:
        return TraceContext(secrets.token_hex(16), secrets.token_hex(8))
    return TraceContext(parent.trace_id, secrets.token_hex(8), parent.sampled)


def current_traceparent() -> str | None:
    """What to send along with work that is asked for now."""
    context = CONTEXT.get()
    return None if context is None else context.traceparent


@contextmanager
def about_job(job_id: str, context: TraceContext | None) -> Iterator[None]:
    """While this lasts, log lines tell of this job."""
    tokens = JOB_ID.set(job_id), CONTEXT.set(context)
    try:
        yield
    finally:
        JOB_ID.reset(tokens[0])
        CONTEXT.reset(tokens[1])


def now_ns() -> int:
    """Unix time."""
    return time.time_ns()
