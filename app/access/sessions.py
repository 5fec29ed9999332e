"""A person's way in: the key is given once on a page, and a signed cookie stands for it on this site's own pages.

The cookie holds the key's id and an end, signed with what the service keeps of the key. So it opens nothing that the
key does not, every web knows it, and a key that is revoked takes its cookies along at once.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from app.access.keys import Key
from app.access.keys_file import KeyFile
from app.access.security import SAFE_METHODS

COOKIE = "personne_session"
LASTS_S = 12 * 3600
CONTEXT = b"personne session v1\n"
"""Signed with every cookie, so that a signature made for anything else is none here."""
PAGES = ("/", "/teach", "/translate", "/verify")
"""Where a person may have been going."""


class Sessions:
    """keys: None where everybody is let in."""

    def __init__(self, keys: KeyFile | None) -> None:
        self.keys = keys

    def key_of(self, sent: str) -> Key | None:
        """The key that was typed, if it is good. Raises KeysUnreadable."""
        return None if self.keys is None else self.keys.ring.holding(sent.strip())

    def cookie(self, key: Key) -> str:
        """What stands for the key for a while."""
        ends = int(time.time()) + LASTS_S
        return f"{key.id}.{ends}.{_signature(key, ends)}"

    def opened(self, scope: Scope) -> Key | None:
        """The key that a request's cookie stands for, if a page of ours sends it. Raises KeysUnreadable."""
        headers = Headers(scope=scope)
        found = _cookie_in(headers)
        if self.keys is None or found is None or not _by_our_page(scope["method"], headers):
            return None
        key_id, ends, signature = found
        if not ends.isascii() or not ends.isdigit() or len(ends) > 12 or int(ends) <= time.time():
            return None
        key = self.keys.ring.with_id(key_id)
        right = key is not None and hmac.compare_digest(_signature(key, int(ends)), signature)
        return key if right else None


def sessions_of(keys: Path | None) -> Sessions:
    """keys: their file; None where everybody is let in."""
    return Sessions(None if keys is None else KeyFile(keys))


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that another site's page asks; what is no browser says nothing."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site not in {"same-origin", "none"}
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def seeks_a_page(scope: Scope) -> bool:
    """Whether a person has opened the address of a page."""
    accept = Headers(scope=scope).get("accept", "")
    return scope["method"] == "GET" and scope["path"] in PAGES and "text/html" in accept


def _by_our_page(method: str, headers: Headers) -> bool:
    """Also where a browser does not say whose page asks (no TLS): then it names an origin with whatever changes
    something, and SameSite=Strict has kept the cookie from other sites."""
    if is_foreign(headers):
        return False
    if method in SAFE_METHODS:
        return True
    return headers.get("sec-fetch-site") == "same-origin" or "origin" in headers


def _cookie_in(headers: Headers) -> tuple[str, str, str] | None:
    # Not the standard library's parser: it stops at the first cookie that it dislikes, and other programs of the same
    # host set what they like.
    parts = cookie_parser(headers.get("cookie", "")).get(COOKIE, "").split(".")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 and parts[2].isascii() else None


def _signature(key: Key, ends: int) -> str:
    # Of the digest, which never leaves the service: whoever has the key itself needs no cookie.
    return hmac.new(key.digest.encode(), CONTEXT + f"{key.id}.{ends}".encode(), hashlib.sha256).hexdigest()
