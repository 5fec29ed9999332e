"""GET and POST /enter: where a person gives a key, once; POST /leave ends that."""

from urllib.parse import parse_qs, urlsplit, urlunsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import ClientDisconnect

from app.access.sessions import COOKIE, LASTS_S, PAGES, Sessions, is_foreign
from app.errors import ClientGone, CrossSite
from app.pages import Pages
from app.replies import NEVER

MOST_BYTES = 2048
WRONG = "This key opens nothing here: it is misspelt, was revoked, or has expired."
NONE = "Type the key, or paste it: it begins with psn_."


def enter_routes(pages: Pages, sessions: Sessions) -> APIRouter:
    """GET and POST /enter, POST /leave."""
    router = APIRouter(include_in_schema=False)

    @router.get("/enter")
    async def form(request: Request, to: str = "/") -> Response:
        """The form; who is in already is told so, and may leave."""
        key = sessions.opened(request.scope)
        context = {"needed": sessions.keys is not None, "name": key and key.name, "to": _page(to), "problem": None}
        return pages.reply("enter.html", context)

    @router.post("/enter")
    async def enter(request: Request) -> Response:
        """The page that was sought, with a cookie; or the form once more, with what is wrong."""
        if is_foreign(request.headers):
            raise CrossSite
        fields = await _fields(request)
        sent, to = fields.get("key", ""), _page(fields.get("to", "/"))
        key = sessions.key_of(sent)
        if key is None:
            context = {"needed": sessions.keys is not None, "name": None, "to": to, "problem": WRONG if sent else NONE}
            return pages.reply("enter.html", context, 422)
        reply = RedirectResponse(to, 303, headers={"Cache-Control": NEVER})
        secure = request.url.scheme == "https"
        reply.set_cookie(COOKIE, sessions.cookie(key), max_age=LASTS_S, secure=secure, httponly=True, samesite="strict")
        return reply

    @router.post("/leave")
    async def leave(request: Request) -> Response:
        """The browser forgets."""
        if is_foreign(request.headers):
            raise CrossSite
        reply = RedirectResponse("/enter", 303, headers={"Cache-Control": NEVER})
        reply.delete_cookie(COOKIE, secure=request.url.scheme == "https", httponly=True, samesite="strict")
        return reply

    return router


def _page(wanted: str) -> str:
    """Never elsewhere, whatever a form says."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    is_ours = not parts.scheme and not parts.netloc and parts.path in PAGES
    return urlunsplit(("", "", parts.path, parts.query, "")) if is_ours else "/"


async def _fields(request: Request) -> dict[str, str]:
    """Of the form; none of what is longer than any that we sent. Raises ClientGone."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return {}
        return {name: values[-1] for name, values in parse_qs(body.decode("ascii"), max_num_fields=4).items()}
    except ClientDisconnect:
        raise ClientGone from None
    except ValueError:
        return {}
