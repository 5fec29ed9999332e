"""Style mixing: some style layers of a face are those of other seeds (Karras et al. 2019, section 3.1).

In an address it is `9:0-3`: of seed 9 the layers 0 to 3; `9:0-3,4:7` takes layer 7 of seed 4 beside. `9:0-3:0.5` goes
only half the way there, in a straight line through w. Early layers draw pose and shape, late ones colour.
"""

import hashlib
import re
from collections.abc import Sequence

from models.errors import MixRefused
from models.latents import SEED_LIMIT
from models.manifest import GeneratorManifest

Mix = tuple[int, int, int, float]
"""The other seed, its first layer, its last, how far the way leads there."""
Mixes = tuple[Mix, ...]
NEIGHBOUR_SHARE = 0.35
"""Of the way to another face: far enough to see, and near enough to be mistaken for a sibling."""

_MIX = re.compile(r"(0|[1-9][0-9]{0,19}):(0|[1-9][0-9]?)(?:-(0|[1-9][0-9]?))?(?::(1|0\.[0-9]{1,4}))?", re.ASCII)


def mixes_of(text: str | None, manifest: GeneratorManifest) -> Mixes:
    """ "9:0-3,4:7" -> ((9, 0, 3, 1.0), (4, 7, 7, 1.0)), in the order of their layers. Raises MixRefused."""
    if text is None:
        return ()
    found = [_MIX.fullmatch(part) for part in text.split(",")]
    if not all(found):
        raise MixRefused(manifest.name, manifest.num_ws, f"{text!r} is not written so")
    mixes = tuple(sorted((_mix(*match.groups()) for match in found if match), key=lambda mix: mix[1:3]))
    check_mixes(mixes, manifest)
    return mixes


def mix_text(mixes: Mixes) -> str:
    """The other way: ((9, 0, 3, 1.0), (4, 7, 7, 0.5)) -> "9:0-3,4:7:0.5"."""
    return ",".join(_text(*mix) for mix in mixes)


def neighbour_of(seed: int, number: int, manifest: GeneratorManifest) -> Mixes:
    """What makes of a face its neighbour of that number: a part of the way to a face that both numbers draw, the same
    for ever."""
    drawn = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return ((int.from_bytes(drawn[:4], "big"), 0, manifest.num_ws - 1, NEIGHBOUR_SHARE),)


def check_mixes(mixes: Sequence[Mix], manifest: GeneratorManifest) -> None:
    """Raises MixRefused for layers that the model does not have or that come twice, and for no seed."""
    free = 0
    for seed, first, last, share in mixes:
        if not 0 < share <= 1:
            raise MixRefused(manifest.name, manifest.num_ws, f"{share:g} leads nowhere")
        if not seed < SEED_LIMIT:
            raise MixRefused(manifest.name, manifest.num_ws, f"{seed} is no seed")
        if last < first or last >= manifest.num_ws:
            raise MixRefused(manifest.name, manifest.num_ws, f"it has no layers {first}-{last}")
        if first < free:
            raise MixRefused(manifest.name, manifest.num_ws, f"layer {first} comes twice")
        free = last + 1


def _mix(seed: str, first: str, last: str | None, share: str | None) -> Mix:
    return int(seed), int(first), int(first if last is None else last), float(share or 1)


def _text(seed: int, first: int, last: int, share: float) -> str:
    return f"{seed}:{first}" + (f"-{last}" if last > first else "") + (f":{share:g}" if share < 1 else "")
