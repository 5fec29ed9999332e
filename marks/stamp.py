"""The marks that leave with a picture: in its pixels, in its metadata, and over its bytes, in this order."""

from collections.abc import Collection

from marks import Mark, watermark, xmp
from marks.credentials import Credentials
from marks.recipe import Recipe
from marks.watermark import Pixels


class Stamp:
    """marks: those that are wanted. credentials: to sign with; None: pictures go unsigned."""

    def __init__(self, marks: Collection[Mark] = (), credentials: Credentials | None = None) -> None:
        self._marks = frozenset(marks)
        self._credentials = credentials if Mark.C2PA in self._marks else None

    @property
    def signs(self) -> bool:
        return self._credentials is not None

    def in_pixels(self, picture: Pixels) -> Pixels:
        """The picture [H, W, 3 or 4] with the watermark, where it is wanted and the picture large enough."""
        return watermark.marked(picture) if Mark.WATERMARK in self._marks else picture

    def metadata(self, recipe: Recipe) -> bytes:
        """The XMP packet for the encoder to write; empty where none is wanted."""
        return xmp.packet(recipe) if Mark.XMP in self._marks else b""

    def over(self, body: bytes, media_type: str, recipe: Recipe, photo: bytes | None = None) -> bytes:
        """The encoded file, signed; as it is where nothing signs. photo: the upload that it was made from."""
        return body if self._credentials is None else self._credentials.signed(body, media_type, recipe, photo)


UNMARKED = Stamp()
