"""What each mark of a file says, and what they say together, in words."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from marks import credentials, watermark, xmp
from marks.animations import gif_xmp, is_gif, is_mp4, mp4_xmp
from marks.credentials import CredentialsFinding, credentials_installed
from marks.errors import NotAPicture
from marks.recipe import Ingredient, Recipe, SourceType
from marks.watermark import WatermarkFinding
from marks.xmp import XmpFinding

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""No other decoder of Pillow is ever reached."""
GENERATED = {
    SourceType.MADE.value: "made by a generative model",
    SourceType.COMPOSITE.value: "a photo or picture that a generative model has changed",
}

NOT_LOOKED_FOR = WatermarkFinding(0.0, (1.0, 1.0))


class Verdict(StrEnum):
    """All marks together."""

    OURS = "ours"  # signed by this service, unchanged
    SIGNED = "signed"  # signed by somebody else, unchanged
    CHANGED = "changed"  # signed once, and no longer what was signed
    MARKED = "marked"  # unsigned metadata or our watermark
    UNMARKED = "unmarked"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a file; None where there is nothing of the kind.

    credentials_readable: whether content credentials could be looked for here. pixels_readable: whether the watermark
    could: nothing decodes films here.
    """

    credentials: CredentialsFinding | None
    xmp: XmpFinding | None
    watermark: WatermarkFinding
    credentials_readable: bool = True
    pixels_readable: bool = True

    @property
    def verdict(self) -> Verdict:
        if self.credentials is not None:
            states = {"trusted": Verdict.OURS, "valid": Verdict.SIGNED, "invalid": Verdict.CHANGED}
            return states[self.credentials.state]
        return Verdict.MARKED if self.watermark.found or _tells(self.xmp) else Verdict.UNMARKED

    @property
    def recipe(self) -> Recipe | None:
        return None if self.xmp is None else self.xmp.recipe

    @property
    def sentence(self) -> str:
        """The verdict, for a person."""
        made = GENERATED.get(self._source_type or "", "")
        was = f" It says that it is {made}." if made else ""
        signer = (self.credentials and self.credentials.signed_by) or "somebody"
        match self.verdict:
            case Verdict.OURS:
                return f"This service made this file, and not a byte of it has changed since.{was}"
            case Verdict.SIGNED:
                return (
                    f"{signer} signed this file, and it has not changed since; this service cannot vouch for them.{was}"
                )
            case Verdict.CHANGED:
                return f"This file was signed by {signer} and has been changed since."
            case Verdict.MARKED if self.watermark.found:
                return f"The watermark of personne is in the pixels: made or changed by a generative model.{was}"
            case Verdict.MARKED:
                return f"The file's metadata say where it comes from, unsigned: anybody could have written that.{was}"
            case Verdict.UNMARKED:
                return "No mark was found. That does not make it a photograph: marks can be removed."

    @property
    def _source_type(self) -> str | None:
        signed = self.credentials and self.credentials.source_type
        return signed or (self.xmp.source_type if self.xmp else None)


def verify(body: bytes, root: bytes | None = None) -> Report:
    """Read every mark of a JPEG, PNG, WebP, GIF or MP4 file. root: PEM certificate of whom to trust.

    The watermark is looked for in the first frame of what moves, and not in films. Metadata or credentials that cannot
    be read hide no other mark. Takes some ten milliseconds, and ten times that where there is no watermark to be found
    quickly. Raises NotAPicture.
    """
    if is_mp4(body):
        found, pixels = _metadata(body), NOT_LOOKED_FOR
    else:
        with _opened(body) as image:
            found, pixels = _metadata(body, image), watermark.find(image)
    signed = _signed(body, root) if credentials_installed() else None
    return Report(signed, found, pixels, credentials_installed(), pixels_readable=not is_mp4(body))


def ingredient_of(photo: bytes) -> Ingredient:
    """The marks of a photo that something is to be made of, for that something's recipe. Raises NotAPicture."""
    report = verify(photo)
    return Ingredient(
        source_type=None if report.xmp is None else report.xmp.source_type,
        software=None if report.xmp is None else report.xmp.software,
        signed_by=None if report.credentials is None else report.credentials.signed_by,
        watermark=report.watermark.found,
    )


def _metadata(body: bytes, image: Image.Image | None = None) -> XmpFinding | None:
    """None where there are none that can be read. image: of what is no film."""
    try:
        if image is None:
            return xmp.read_packet(mp4_xmp(body))
        return xmp.read_packet(gif_xmp(body)) if is_gif(body) else xmp.read(image)
    except MemoryError:
        raise
    except Exception as error:
        # Whoever wrote them may have meant that; what they say goes into no log.
        log.warning("a file's metadata could not be read: %s", type(error).__name__)
        return None


def _signed(body: bytes, root: bytes | None) -> CredentialsFinding | None:
    """Credentials that cannot be read are broken ones."""
    try:
        return credentials.read(body, root)
    except MemoryError:
        # That is no fault of theirs.
        raise
    except Exception as error:
        log.warning("a file's credentials could not be read: %s", type(error).__name__)
        return CredentialsFinding("invalid", reasons=(credentials.DAMAGED,))


def _tells(found: XmpFinding | None) -> bool:
    return found is not None and (found.recipe is not None or found.source_type is not None)


@contextmanager
def _opened(body: bytes) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body), formats=FORMATS) as image:
                yield image
    except (NotAPicture, MemoryError):
        raise
    except Exception as error:
        # A decoder may raise anything for a damaged file.
        raise NotAPicture from error
