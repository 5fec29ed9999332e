"""A photo out of a request: the body itself or the part `photo` of a form, cut at the limit while it streams.

Nothing of it is ever written to a disk: Starlette's own forms put whatever exceeds a megabyte into a file.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from app.admission import Take, UploadRoom
from app.errors import (
    AnimatedPhoto,
    ClientGone,
    PhotoMissing,
    PhotoTooLong,
    RepeatedParameter,
    TooManyPixels,
    UnknownParameter,
    UnreadablePhoto,
    UnsupportedPhoto,
    UploadMalformed,
    UploadsBusy,
    UploadTooBig,
    UploadTooSlow,
)
from app.photo_headers import PhotoHeader, read_header, size_of
from jobs.contract import LONGEST_PHOTO_SIDE

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PART = "photo"
FORM = b"multipart/form-data"
FORM_OVERHEAD = 64 * 1024
"""Bytes that a form may have beside the photo."""


Pay = Callable[[int], Awaitable[None]]
"""Counts the pixels of a photo for whoever sends it; raises RateLimited, TooCostly."""


UPLOAD_PROBLEMS = (
    PhotoMissing,
    UnsupportedPhoto,
    AnimatedPhoto,
    TooManyPixels,
    PhotoTooLong,
    UnreadablePhoto,
    UploadTooBig,
    UploadTooSlow,
    UploadMalformed,
    UploadsBusy,
    UnknownParameter,
    RepeatedParameter,
)
"""What taking a photo in may be refused with."""


async def _for_nothing(_: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """most_bytes, most_pixels: of one photo. within_s: how long it may take to arrive."""

    most_bytes: int
    most_pixels: int
    within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo as it came, and what its header says. fields: further parts of the form, by name."""

    body: bytes
    header: PhotoHeader
    fields: Mapping[str, bytes] = field(default_factory=dict)


class Uploads:
    """Takes photos in, as many at one moment as the room has bytes for. pay: counts their pixels."""

    def __init__(self, limits: UploadLimits, room: UploadRoom, pay: Pay = _for_nothing) -> None:
        self._pay = pay
        self._limits = limits
        self._room = room

    @asynccontextmanager
    async def photo_of(self, request: Request, *fields: str, beside: Collection[str] = ()) -> AsyncIterator[Upload]:
        """The photo, whose bytes count until the end of the block: hand it to the queue there.

        fields: parts that a form may have beside it, short texts. beside: parts that may have as many bytes as a photo
        each.

        Raises PhotoMissing, UnsupportedPhoto, AnimatedPhoto, TooManyPixels, PhotoTooLong, UnreadablePhoto,
        UploadTooBig, UploadTooSlow, UploadMalformed, UploadsBusy, UnknownParameter or RepeatedParameter for a form's
        other parts, ClientGone.
        """
        async with self._arrived(request, fields, beside) as (body, further):
            header = read_header(body)
            await self._pay_for(header.width, header.height)
            yield Upload(body, header, further)

    @asynccontextmanager
    async def file_of(self, request: Request) -> AsyncIterator[bytes]:
        """A picture whose marks are to be read: as a photo, or a WebP, GIF or MP4 that moves. Raises as `photo_of`."""
        async with self._arrived(request) as (body, _):
            await self._pay_for(*size_of(body))
            yield body

    @asynccontextmanager
    async def _arrived(
        self, request: Request, fields: Collection[str] = (), beside: Collection[str] = ()
    ) -> AsyncIterator[tuple[bytes, Mapping[str, bytes]]]:
        limits = self._limits
        kind, options = parse_options_header(request.headers.get("content-type"))
        boundary, most = options.get(b"boundary"), limits.most_bytes
        sink = _Form(boundary, most, fields, beside) if kind == FORM else _Plain(most)
        allowed = most * (1 + len(beside)) + FORM_OVERHEAD if kind == FORM else most
        declared = _declared(request)
        if declared is not None and declared > allowed:
            raise UploadTooBig(limits.most_bytes)
        with self._room.entered(declared or 0) as take:
            body = await self._received(request, sink, allowed, take)
            yield body, sink.fields

    async def _pay_for(self, width: int, height: int) -> None:
        if width * height > self._limits.most_pixels:
            raise TooManyPixels(width, height, self._limits.most_pixels)
        if max(width, height) > LONGEST_PHOTO_SIDE:
            raise PhotoTooLong(width, height, LONGEST_PHOTO_SIDE)
        await self._pay(width * height)

    async def _received(self, request: Request, sink: "_Plain | _Form", allowed: int, take: Take) -> bytes:
        received = 0
        try:
            async with asyncio.timeout(self._limits.within_s):
                async for chunk in request.stream():
                    received += len(chunk)
                    if received > allowed:
                        raise UploadTooBig(self._limits.most_bytes)
                    take(len(chunk))
                    sink.take(chunk)
        except TimeoutError:
            raise UploadTooSlow(self._limits.within_s) from None
        except ClientDisconnect:
            raise ClientGone from None
        return sink.photo()


class _Plain:
    """The body is the photo."""

    fields: Mapping[str, bytes] = MappingProxyType({})

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = bytearray()

    def take(self, chunk: bytes) -> None:
        self._bytes += chunk
        if len(self._bytes) > self._most_bytes:
            raise UploadTooBig(self._most_bytes)

    def photo(self) -> bytes:
        return bytes(self._bytes)


class _Form:
    """The photo is a part of the body. Raises UploadMalformed, UnknownParameter, RepeatedParameter, PhotoMissing."""

    def __init__(
        self, boundary: bytes | None, most_bytes: int, fields: Collection[str], beside: Collection[str]
    ) -> None:
        if not boundary:
            raise UploadMalformed
        self._files = {name: _Plain(most_bytes) for name in (PART, *beside)}
        self._known = (*self._files, *fields)
        self._texts: dict[str, bytearray] = {}
        self._begun: set[str] = set()
        self._part = ""
        self._ended = False
        self._name, self._value = bytearray(), bytearray()
        self._disposition = b""
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._part_data,
            "on_end": self._form_ends,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except (MultipartParseError, ValueError):
            raise UploadMalformed from None

    def take(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError:
            raise UploadMalformed from None

    def photo(self) -> bytes:
        if not self._ended:
            raise UploadMalformed
        if PART not in self._begun:
            raise PhotoMissing
        return self._files[PART].photo()

    @property
    def fields(self) -> Mapping[str, bytes]:
        texts = {name: bytes(text) for name, text in self._texts.items()}
        files = {name: file.photo() for name, file in self._files.items() if name != PART and name in self._begun}
        return texts | files

    def _part_begins(self) -> None:
        self._disposition = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        name = parse_options_header(self._disposition)[1].get(b"name", b"").decode(errors="replace")
        if name not in self._known:
            raise UnknownParameter([name], list(self._known))
        if name in self._begun:
            raise RepeatedParameter([name])
        self._begun.add(name)
        self._part = name
        if name not in self._files:
            self._texts[name] = bytearray()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part in self._files:
            self._files[self._part].take(data[start:end])
            return
        text = self._texts[self._part]
        text += data[start:end]
        if len(text) > FORM_OVERHEAD:
            raise UploadMalformed

    def _form_ends(self) -> None:
        self._ended = True


def _declared(request: Request) -> int | None:
    """The body's length where the request names one; a server has refused what is no number."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
