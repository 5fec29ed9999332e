"""Keys: what they look like, what they may do, and how one that was sent is recognised."""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

PREFIX = "psn_"
SECRET_LENGTH = 30
CHECKSUM_LENGTH = 6
ID_LENGTH = 12
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
LOOKS_LIKE_A_KEY = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}")


class Scope(StrEnum):
    """What a key may do. None includes another."""

    READ = "read"  # models, styles, jobs and their results
    GENERATE = "generate"  # faces
    UPLOAD = "upload"  # photos, and what is made of them
    ADMIN = "admin"  # figures, and whatever concerns everybody


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key: never the key itself.

    id: the beginning of its digest, by which it is listed and revoked. digest: SHA-256 in hex. per_minute, per_day:
    most units of work (app/access/cost.py); None: as the service has it, and without a limit.
    """

    id: str
    digest: str
    name: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None = None
    per_minute: int | None = None
    per_day: int | None = None

    def has_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


class KeyRing:
    """Keys, found by what their holder sends."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._by_digest = {key.digest: key for key in keys}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._by_digest.values())

    def __len__(self) -> int:
        return len(self._by_digest)

    def holding(self, sent: str) -> Key | None:
        """The key that was sent, unless it is unknown or has expired.

        Looked up by its digest: how long that takes tells of the digest at most, and from a digest nobody gets a key.
        """
        key = self._by_digest.get(digest_of(sent)) if is_wellformed(sent) else None
        return None if key is None or key.has_expired(datetime.now(UTC)) else key

    def with_id(self, key_id: str) -> Key | None:
        """The key of that id, unless it has expired."""
        return next((key for key in self if key.id == key_id and not key.has_expired(datetime.now(UTC))), None)


def draw_key() -> str:
    """A new key: 178 random bits, and a checksum so that scanners of code and logs know one when they see it."""
    secret = "".join(secrets.choice(_DIGITS) for _ in range(SECRET_LENGTH))
    return f"{PREFIX}{secret}{_checksum(secret)}"


def is_wellformed(text: str) -> bool:
    """Whether this is a key as we make them, its checksum right; says nothing of whether it is anybody's."""
    if LOOKS_LIKE_A_KEY.fullmatch(text) is None:
        return False
    secret, checksum = text[len(PREFIX) : -CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return checksum == _checksum(secret)


def digest_of(key: str) -> str:
    """SHA-256: enough for what is random to begin with; slow hashes are for passwords, which people choose."""
    return hashlib.sha256(key.encode()).hexdigest()


def id_of(digest: str) -> str:
    return digest[:ID_LENGTH]


def _checksum(secret: str) -> str:
    """CRC32 in base 62, as the scanners of code hosts expect it."""
    number, digits = zlib.crc32((PREFIX + secret).encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
