"""Where a picture comes from: written into it (recipe, content credentials, watermark), and read back."""

from enum import StrEnum


class Mark(StrEnum):
    """What can be switched on and off."""

    XMP = "xmp"
    WATERMARK = "watermark"
    C2PA = "c2pa"
