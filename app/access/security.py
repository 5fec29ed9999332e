"""Requests that no reply of ours can make safe: for another host, or from another site's page."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors.access import CrossSite, WrongHost
from app.errors.kinds import AppError
from app.replies import error_reply

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WITHOUT_HOST_CHECK = frozenset({"/livez", "/readyz"})
"""Probes ask by the address of a pod, which nobody can list."""


class RefuseStrangers:
    """Refuses names that are not ours, and what another site's page would have a browser do here.

    hosts: names that are; none: any. A name that somebody points at 127.0.0.1 would let their page read everything that
    listens there (DNS rebinding); a form on their page may post here from any browser.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._check(scope)
            except AppError as error:
                await error_reply(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        """Raises WrongHost, CrossSite."""
        headers = Headers(scope=scope)
        host = without_port(headers.get("host", ""))
        if self._hosts and host not in self._hosts and scope["path"] not in WITHOUT_HOST_CHECK:
            raise WrongHost(host)
        if scope["method"] not in SAFE_METHODS and headers.get("sec-fetch-site") == "cross-site":
            raise CrossSite


def without_port(host: str) -> str:
    """`LOCALHOST:8000` => `localhost`, `[::1]:8000` => `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
