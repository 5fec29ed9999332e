"""Shared addresses: a face or a result for whoever has the link, signed (HMAC-SHA256), for a while."""

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from app.access.keys import Scope
from app.errors.access import LinkRefused, NotShareable, SharingOff

SHAREABLE = {
    re.compile(r"/v1/faces/[0-9]{1,20}(\.(jpg|png|webp))?"): Scope.GENERATE,
    re.compile(r"/v1/jobs/[0-9a-f]{32}/result"): Scope.READ,
}
MARK = "signature="
CONTEXT = b"personne shared address v1\n"
"""Signed with every address, so that a signature made for anything else is none here."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A shared address whose signature is right. query: the address's own. by: id of its maker's key, or nothing."""

    query: str
    by: str


class SharedLinks:
    """Signs with the first secret, and accepts the others too, so that secrets can be replaced one after the other."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)

    def sign(self, address: str, by: str, expires: int) -> str:
        """The address with by, expires (Unix time) and signature. Raises SharingOff."""
        if not self._secrets:
            raise SharingOff
        separator = "&" if urlsplit(address).query else "?"
        message = f"{address}{separator}by={by}&expires={expires}"
        return f"{message}&{MARK}{_signature(self._secrets[0], message)}"

    def opened(self, path: str, query: str) -> Opened:
        """Raises LinkRefused unless signed by us as it is, and still good."""
        signed, mark, signature = query.rpartition(f"&{MARK}")
        message = f"{path}?{signed}"
        # Every secret is tried, and each in constant time.
        right = [hmac.compare_digest(_signature(secret, message), signature) for secret in self._secrets]
        if not mark or not any(right):
            raise LinkRefused
        own, _, added = signed.rpartition("by=")
        told = parse_qs(f"by={added}", keep_blank_values=True)
        if int(told["expires"][0]) <= time.time():
            raise LinkRefused
        return Opened(own.removesuffix("&"), told["by"][0])


def scope_to_share(address: str) -> Scope:
    """What a key must be able to do to share it. Raises NotShareable."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise NotShareable from None
    if parts.scheme or parts.netloc or parts.fragment or MARK in parts.query:
        raise NotShareable
    for pattern, scope in SHAREABLE.items():
        if pattern.fullmatch(parts.path):
            return scope
    raise NotShareable


def is_shared(query: str) -> bool:
    """Whether an address claims to be a shared one."""
    return f"&{MARK}" in query


def _signature(secret: bytes, message: str) -> str:
    return hmac.new(secret, CONTEXT + message.encode(), hashlib.sha256).hexdigest()
