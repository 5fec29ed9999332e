"""Serving an application on an address: a socket that is ours, one clear line, a graceful end."""

import logging
import signal
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from personne.errors import PortBusy
from personne.settings import Settings

BACKLOG = 2048
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


def make_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """A server that says nothing of its own, not even who it is."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # Whose units a request is counted to hangs on its address: what a stranger says of that is not believed.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=max(1, int(settings.stop_grace_s) - 5),
        )
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
