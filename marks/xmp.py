"""The XMP packet of a picture: IPTC's digital source type, for everybody's software, and the recipe, for ours."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from PIL import Image, PngImagePlugin

from marks.recipe import Recipe, from_json, to_json

MOST_BYTES = 256 * 1024
"""Longer packets are not read."""
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP = "http://ns.adobe.com/xap/1.0/"
OURS = "urn:personne:marks:1#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PNG_KEYWORD = "XML:com.adobe.xmp"
_DOCUMENT_TYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class XmpFinding:
    """What a packet says of where the picture comes from; None where it is silent. software: its creator tool."""

    source_type: str | None
    software: str | None
    recipe: Recipe | None


def packet(recipe: Recipe) -> bytes:
    """The packet, to be written into a file by its encoder."""
    attributes = {
        "Iptc4xmpExt:DigitalSourceType": recipe.source_type.value,
        "xmp:CreatorTool": recipe.software,
        "personne:recipe": to_json(recipe),
    }
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
        f' xmlns:Iptc4xmpExt="{IPTC}" xmlns:xmp="{XMP}" xmlns:personne="{OURS}" {written}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def encoder_options(picture_format: str, xmp: bytes) -> dict[str, object]:
    """What Pillow's encoder of that format takes, so that the file carries the packet."""
    if picture_format != "PNG":
        return {"xmp": xmp}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt(PNG_KEYWORD, xmp.decode())
    return {"pnginfo": chunks}


def read(image: Image.Image) -> XmpFinding | None:
    """What the packet of an opened file says; None where there is none that can be read."""
    return read_packet(image.info.get("xmp"))


def read_packet(found: object) -> XmpFinding | None:
    """What a packet says; None where it is none that can be read."""
    if not isinstance(found, bytes) or len(found) > MOST_BYTES or _DOCUMENT_TYPE.search(found):
        return None
    try:
        root = ElementTree.fromstring(found.strip(b"\x00 \r\n"))  # noqa: S314 -- no document type, no entities
    except (ElementTree.ParseError, ValueError, LookupError):
        # The last is Python's for an encoding that it does not know.
        return None
    recipe = _property(root, OURS, "recipe")
    return XmpFinding(
        source_type=_property(root, IPTC, "DigitalSourceType"),
        software=_property(root, XMP, "CreatorTool"),
        recipe=None if recipe is None else from_json(recipe),
    )


def _property(root: ElementTree.Element, namespace: str, name: str) -> str | None:
    """A property, which XMP may have as an attribute of its description or as an element within."""
    tag = f"{{{namespace}}}{name}"
    for description in root.iter(f"{{{RDF}}}Description"):
        if tag in description.attrib:
            return description.attrib[tag]
        element = description.find(tag)
        if element is not None:
            return element.attrib.get(f"{{{RDF}}}resource", element.text)
    return None
