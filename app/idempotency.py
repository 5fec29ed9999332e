"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07): equal submits make one job."""

import asyncio
import re
from hashlib import sha256
from weakref import WeakValueDictionary

from starlette.requests import Request

from app.access.visitor import VISITOR
from app.errors import IdempotencyKeyMalformed
from jobs.queue import Once

HEADER = "idempotency-key"
WHOSE = ("authorization", "x-api-key")
"""Headers that say whose it is where we know nobody (a proxy may): what one client has sent is no news to another."""
_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


def once_of(request: Request, *asked: str | bytes) -> Once | None:
    """What makes this request and its repetitions one job; None where it has no such key.

    asked: all that makes the job, beside the address. Only hashes are kept of it. Raises IdempotencyKeyMalformed.
    """
    header = request.headers.get(HEADER)
    if header is None:
        return None
    # A string of a structured field; many clients leave the quotes out.
    key = header[1:-1] if len(header) >= 2 and header[0] == header[-1] == '"' else header
    if _KEY.fullmatch(key) is None:
        raise IdempotencyKeyMalformed
    visitor = VISITOR.get()
    if visitor is not None and visitor.key is not None:
        whose = [visitor.key.id]
    else:
        whose = [request.headers.get(name, "") for name in WHOSE]
    return Once(_hash(*whose, key), _hash(request.url.path, *asked))


class OneByOne:
    """Equal requests in this process: the first is counted and accepted before the next is looked at."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, once: Once) -> asyncio.Lock:
        """Held by whoever is at it."""
        return self._locks.setdefault(once.key, asyncio.Lock())


def is_repeatable(request: Request) -> bool:
    """Whether whoever asks means to ask again if the line breaks."""
    return HEADER in request.headers


def _hash(*parts: str | bytes) -> str:
    """Of all parts, each by itself: moving a byte from one to the next changes it."""
    whole = sha256()
    for part in parts:
        whole.update(sha256(part.encode() if isinstance(part, str) else part).digest())
    return whole.hexdigest()


IDEMPOTENCY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of the client's own, once for each thing that it wants. A request with the same key and "
    "the same content within 24 hours makes no second job and is answered with the first.",
    "schema": {"type": "string", "maxLength": 255, "examples": ["8e03978e-40d5-43dd-bc93-6894a57f9324"]},
}
"""How OpenAPI describes it."""
