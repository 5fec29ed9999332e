"""Bodies of JSON: cut at a limit while they stream, and in a time, before the framework keeps a byte of them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from app.errors import ClientGone, UploadTooBig, UploadTooSlow
from app.replies import error_reply

MOST_BYTES = 1024 * 1024
"""Ten times the largest that any route has use for."""
WITHIN_S = 20.0
BODY_PROBLEMS = (UploadTooBig, UploadTooSlow)
"""What a body may be refused with before it is read as JSON."""

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRoute(APIRoute):
    """A route whose body, where it takes one, is within the limits: FastAPI itself reads whatever comes, however large
    and slow, before it asks any dependency whether the caller may send it."""

    def get_route_handler(self) -> Answer:
        """The framework's, behind the limits."""
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def limited(request: Request) -> Response:
            try:
                body = await _received(request)
            except UploadTooBig as error:
                return error_reply(error)
            return await answer(Request(request.scope, _again(body, request.receive)))

        return limited


async def _received(request: Request) -> bytes:
    """Raises UploadTooBig, UploadTooSlow, ClientGone."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > MOST_BYTES:
        raise UploadTooBig(MOST_BYTES, "The body")
    body = bytearray()
    try:
        async with asyncio.timeout(WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UploadTooBig(MOST_BYTES, "The body")
    except TimeoutError:
        raise UploadTooSlow(WITHIN_S, "body") from None
    except ClientDisconnect:
        raise ClientGone from None
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the whole body first, and then what comes after it: that the client leaves, say."""
    given = False

    async def received() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received
