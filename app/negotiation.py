"""Which picture format a request gets, and whether it already has the picture (RFC 9110, 12.5.1 and 13.1.2)."""

import hashlib

from starlette.requests import Request

from app.errors import NoFormatAccepted, TooLongForFormat
from jobs.contract import PictureFormat
from marks.recipe import MARKS_VERSION

# Of the formats that are not the first choice the better liked one; when it is a tie, the earlier one here.
_SECOND_CHOICE = (PictureFormat.WEBP, PictureFormat.PNG, PictureFormat.JPEG)


def whole_header(request: Request, name: str) -> str | None:
    """A header that is a list, and may come in several lines (RFC 9110, 5.3). None: it did not come."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def negotiate(accept: str | None, first_choice: PictureFormat = PictureFormat.JPEG) -> PictureFormat:
    """The first choice unless an Accept header (None: no header, anything goes) excludes it.

    Raises NoFormatAccepted.
    """
    if accept is None or not accept.strip():
        return first_choice
    likings = _likings(accept)
    if _liking(likings, first_choice) > 0:
        return first_choice
    best = max(_SECOND_CHOICE, key=lambda choice: _liking(likings, choice))
    if _liking(likings, best) <= 0:
        raise NoFormatAccepted
    return best


def check_length(longest: int, picture_format: PictureFormat) -> None:
    """longest: pixels along the longer side of the answer. Raises TooLongForFormat."""
    if longest > picture_format.longest_side:
        raise TooLongForFormat(longest, picture_format)


def already_has(if_none_match: str | None, validator: str) -> bool:
    """Whether an If-None-Match header lists this validator, by the weak comparison."""
    if if_none_match is None:
        return False
    listed = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in listed or validator.removeprefix("W/") in listed


def _likings(accept: str) -> dict[str, float]:
    """q by media range, lower case; what cannot be read counts as 1, as if no q had been given."""
    likings = {}
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        likings[media_range] = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
    return likings


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def _liking(likings: dict[str, float], picture_format: PictureFormat) -> float:
    """The most specific range wins, so `image/jpeg;q=0, */*` excludes JPEG."""
    for media_range in (picture_format.media_type, "image/*", "*/*"):
        if media_range in likings:
            return likings[media_range]
    return 0.0


def address_validator(address: str) -> str:
    """A weak ETag: of what is drawn anew at each signing, and named whole by its permanent address."""
    return f'W/"{hashlib.sha256(address.encode()).hexdigest()[:20]}-m{MARKS_VERSION}"'
