"""Style mixing: some style layers of a face are those of other seeds (Karras et al. 2019, section 3.1).

In an address it is `9:0-3`: of seed 9 the layers 0 to 3; `9:0-3,4:7` takes layer 7 of seed 4 beside. Early layers draw
pose and shape, late ones colour.
"""

import re
from collections.abc import Sequence

from models.errors import MixRefused
from models.latents import SEED_LIMIT
from models.manifest import GeneratorManifest

Mixes = tuple[tuple[int, int, int], ...]
"""Of each: the other seed, its first layer, its last."""

_MIX = re.compile(r"(0|[1-9][0-9]{0,19}):(0|[1-9][0-9]?)(?:-(0|[1-9][0-9]?))?", re.ASCII)


def mixes_of(text: str | None, manifest: GeneratorManifest) -> Mixes:
    """ "9:0-3,4:7" -> ((9, 0, 3), (4, 7, 7)), in the order of their layers. Raises MixRefused."""
    if text is None:
        return ()
    found = [_MIX.fullmatch(part) for part in text.split(",")]
    if not all(found):
        raise MixRefused(manifest.name, manifest.num_ws, f"{text!r} is not written so")
    mixes = tuple(sorted((_mix(*match.groups()) for match in found if match), key=lambda mix: mix[1:]))
    check_mixes(mixes, manifest)
    return mixes


def mix_text(mixes: Mixes) -> str:
    """The other way: ((9, 0, 3), (4, 7, 7)) -> "9:0-3,4:7"."""
    return ",".join(f"{seed}:{first}" + (f"-{last}" if last > first else "") for seed, first, last in mixes)


def check_mixes(mixes: Sequence[tuple[int, int, int]], manifest: GeneratorManifest) -> None:
    """Raises MixRefused for layers that the model does not have or that come twice, and for no seed."""
    free = 0
    for seed, first, last in mixes:
        if not seed < SEED_LIMIT:
            raise MixRefused(manifest.name, manifest.num_ws, f"{seed} is no seed")
        if last < first or last >= manifest.num_ws:
            raise MixRefused(manifest.name, manifest.num_ws, f"it has no layers {first}-{last}")
        if first < free:
            raise MixRefused(manifest.name, manifest.num_ws, f"layer {first} comes twice")
        free = last + 1


def _mix(seed: str, first: str, last: str | None) -> tuple[int, int, int]:
    return int(seed), int(first), int(first if last is None else last)
