"""Serving an application on an address: a socket that is ours, one clear line, a graceful end."""

import asyncio
import logging
import signal
import socket
import time
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from personne.errors import PortBusy
from personne.settings import Settings

BACKLOG = 2048
SILENCE_S = 0.1
LAST_ANSWERS_S = 2.0
"""How long a server that is to end waits at most for a moment in which nobody asks."""
_log = logging.getLogger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there already, so that a busy port is known before any model is opened. Raises PortBusy."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server puts the address into the sentence a second time.
        reason = (error.strerror or str(error)).split(" (while", maxsplit=1)[0]
        raise PortBusy(host, port, reason.lower()) from None


def address(listener: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class LastAnswers:
    """Around an application: while the server ends, every answer says that its connection is to be left, so that nobody
    asks on it once more at the moment when it is closed."""

    def __init__(self, app: ASGIApp, ending: asyncio.Event) -> None:
        self._app = app
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._ending.is_set():
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, send_last if scope["type"] == "http" else send)


class Server(uvicorn.Server):
    """A server that goes on answering for a moment after it was told to end, as long as anybody asks.

    ending: set at that moment.
    """

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams end, connections are left one by one, and then the port is closed."""
        self._ending.set()
        answered, over = -1, time.monotonic() + LAST_ANSWERS_S
        while self.server_state.total_requests != answered and time.monotonic() < over and not self.force_exit:
            answered = self.server_state.total_requests
            await asyncio.sleep(SILENCE_S)
        for listener in sockets or ():
            # Who knocks now is not let in, and who was let in already is met before the door is shut in their face.
            listener.listen(0)
        await asyncio.sleep(SILENCE_S)
        await super().shutdown(sockets)


def make_server(app: FastAPI, settings: Settings, ending: asyncio.Event | None = None) -> Server:
    """A server that says nothing of its own, not even who it is. ending: set when it is told to stop."""
    ending = ending or asyncio.Event()
    return Server(
        uvicorn.Config(
            LastAnswers(app, ending),
            log_config=None,
            access_log=False,
            server_header=False,
            # Whose units a request is counted to hangs on its address: what a stranger says of that is not believed.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=max(1, int(settings.stop_grace_s) - 5),
        ),
        ending,
    )


def listen(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are answered first. Returns then, whichever signal it was."""
    _return_after_signals()
    _log.info("personne is at %s", address(listener))
    server.run(sockets=[listener])


def _return_after_signals() -> None:
    # The server raises a caught signal again when it is done, which would end us before the worker is stopped.
    def already_heeded(_: int, __: Any) -> None:
        """Whoever had to know, knows."""

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, already_heeded)
