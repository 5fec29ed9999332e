"""At the door: whose request it is, and whether the route that it goes to is open to them. Closed unless declared."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import quote, unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.keys import LOOKS_LIKE_A_KEY
from app.access.keys import Scope as KeyScope
from app.access.links import SHAREABLE, SharedLinks, is_shared
from app.access.scopes import OPEN, OPEN_FOLDERS, SCOPES
from app.access.sessions import Sessions, seeks_a_page
from app.access.visitor import VISITOR, Visitor
from app.errors.access import (
    KeyInAddress,
    KeyMissing,
    KeyRefused,
    LinkRefused,
    ScopeMissing,
    ScopeUndeclared,
)
from app.errors.kinds import AppError
from app.replies import error_reply

NAMES_OF_KEYS = frozenset({"api_key", "apikey", "api-key", "access_token"})
"""Query parameters that other services take keys in, so that somebody will try them here."""
_OPEN = tuple(
    (method, compile_path(path)[0])
    for method, _, path in (one.partition(" ") for one, scope in SCOPES.items() if scope is OPEN)
)
MOST_QUERY = 1000


class AskForKeys:
    """Finds out who asks, by the keys that sessions are opened with."""

    def __init__(self, app: ASGIApp, links: SharedLinks, sessions: Sessions) -> None:
        self._app = app
        self._keys = sessions.keys
        self._links = links
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _refuse_keys_in(scope)
            visitor, scope = self._let_in(scope)
        except AppError as error:
            if isinstance(error, KeyMissing) and seeks_a_page(scope):
                # A person, who has no header to send: the page asks for the key.
                await RedirectResponse(f"/enter?to={quote(_wanted(scope))}", 303)(scope, receive, send)
                return
            await error_reply(error)(scope, receive, _challenging(send, None, error))
            return
        token = VISITOR.set(visitor)
        try:
            await self._app(scope, receive, _challenging(send, visitor, None))
        finally:
            VISITOR.reset(token)

    def _let_in(self, scope: Scope) -> tuple[Visitor, Scope]:
        """Who it is, and the request as it goes on. Raises KeyMissing, KeyRefused, KeysUnreadable, LinkRefused."""
        query = scope["query_string"].decode("latin-1")
        if is_shared(query):
            return self._by_link(scope, query)
        if self._keys is None:
            return Visitor(f"address:{_address(scope)}", scopes=None), scope
        if _is_open(scope):
            return Visitor(f"address:{_address(scope)}"), scope
        sent = _sent_key(Headers(scope=scope))
        key = self._sessions.opened(scope) if sent is None else self._keys.ring.holding(sent)
        if key is None:
            raise KeyMissing if sent is None else KeyRefused
        return Visitor(f"key:{key.id}", key, key.scopes), scope

    def _by_link(self, scope: Scope, query: str) -> tuple[Visitor, Scope]:
        """The signature opens this one address, to be read, for as long as its maker's key is good."""
        opened = self._links.opened(scope["path"], query)
        scope = {**scope, "query_string": opened.query.encode("latin-1")}
        if scope["method"] not in {"GET", "HEAD"}:
            raise LinkRefused
        if self._keys is None:
            return Visitor(f"address:{_address(scope)}", scopes=None, by_link=True), scope
        key = self._keys.ring.with_id(opened.by) if opened.by else None
        if key is None:
            raise LinkRefused
        return Visitor(f"key:{key.id}", key, tuple(SHAREABLE.values()), by_link=True), scope


async def declared_scope(request: Request) -> None:
    """A dependency of every route: refuse who may not. Raises KeyMissing, ScopeMissing, ScopeUndeclared."""
    visitor = VISITOR.get()
    if visitor is None or visitor.scopes is None:
        return
    declaration = f"{request.method} {request.scope['route'].path}"
    if declaration not in SCOPES:
        raise ScopeUndeclared
    scope = SCOPES[declaration]
    if scope is OPEN:
        return
    if visitor.key is None:
        raise KeyMissing
    ask_for(scope)


def ask_for(scope: KeyScope) -> None:
    """For a route that asks more of some requests than of others. Raises ScopeMissing."""
    visitor = VISITOR.get()
    if visitor is None or visitor.scopes is None or visitor.may(scope):
        return
    visitor.needed = scope
    raise ScopeMissing(scope, visitor.scopes)


def _refuse_keys_in(scope: Scope) -> None:
    """Raises KeyInAddress."""
    query = scope["query_string"].decode("latin-1")
    address = unquote(f"{scope['path']}?{query}")
    names = {part.partition("=")[0].lower() for part in query.split("&")}
    if LOOKS_LIKE_A_KEY.search(address) or names & NAMES_OF_KEYS:
        raise KeyInAddress


def _is_open(scope: Scope) -> bool:
    path, method = scope["path"], "GET" if scope["method"] == "HEAD" else scope["method"]
    if method == "GET" and path.startswith(OPEN_FOLDERS):
        return True
    return any(method == of and pattern.fullmatch(path) for of, pattern in _OPEN)


def _sent_key(headers: Headers) -> str | None:
    """What came as a key, from either header."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key")


def _wanted(scope: Scope) -> str:
    """The page with all that says which face or job it is of; the page alone where that is too much for a form."""
    query = scope["query_string"].decode("latin-1")
    path: str = scope["path"]
    return f"{path}?{query}" if query and len(query) < MOST_QUERY else path


def _address(scope: Scope) -> str:
    """Whom the units of a visitor without a key are counted to: an IPv4 address, or the network of an IPv6 one."""
    client = scope.get("client")
    host = client[0] if client else "unknown"
    try:
        ip = ip_address(host)
    except ValueError:
        return str(host)
    # A socket for both families shows an IPv4 address as an IPv6 one; all of those lie in one /64.
    ip = getattr(ip, "ipv4_mapped", None) or ip
    # A household has all of a /64: each of its 2^64 addresses as somebody else would be no limit at all.
    return f"{ip.exploded[:19]}::/64" if isinstance(ip, IPv6Address) else str(ip)


def _challenging(send: Send, visitor: Visitor | None, error: AppError | None) -> Send:
    """Sends on; where a key is missing, wrong or too weak, with the field that says so (RFC 6750)."""

    async def challenge(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in {401, 403}:
            challenge = 'Bearer realm="personne"'
            if isinstance(error, KeyRefused):
                challenge += ', error="invalid_token"'
            if visitor is not None and visitor.needed is not None:
                challenge += f', error="insufficient_scope", scope="{visitor.needed}"'
            if message["status"] == 401 or (visitor is not None and visitor.needed is not None):
                MutableHeaders(scope=message)["WWW-Authenticate"] = challenge
        await send(message)

    return challenge
