"""Attributes that vary from face to face: each seed draws its own strengths, the same wherever it is drawn."""

import re

import numpy as np

Ranges = tuple[tuple[str, float, float], ...]
"""Attributes, each with its lowest and its highest strength."""
_NUMBER = r"[-+]?[0-9]{1,6}(?:\.[0-9]{1,6})?"
"""Not \\d: in the web's own patterns that is any script's digits."""
RANGE = rf"^{_NUMBER}(\.\.{_NUMBER})?$"
"""`1.5`, or `-2..1.5`."""


def read_range(text: str) -> tuple[float, float]:
    """ "-2..1.5" -> (-2.0, 1.5); "1.5" -> (1.5, 1.5). Raises ValueError."""
    if re.fullmatch(RANGE, text, re.ASCII) is None:
        raise ValueError(f"{text!r} is no strength, as 1.5, and no range of strengths, as -2..1.5.")
    low, _, high = text.partition("..")
    ends = float(low), float(high or low)
    return min(ends), max(ends)


def range_text(low: float, high: float) -> str:
    """What `read_range` reads again: (-2.0, 1.5) -> "-2..1.5"."""
    return "..".join(f"{end:.6f}".rstrip("0").rstrip(".") for end in (low, high))


def steps_between(first: float, last: float, steps: int) -> tuple[float, ...]:
    """From the first strength to the last, to four digits; one step is the first."""
    # + 0.0 makes -0.0 the same strength as 0.0.
    return tuple(round(float(strength), 4) + 0.0 for strength in np.linspace(first, last, steps))


def drawn_edits(ranges: Ranges, seed: int) -> tuple[tuple[str, float], ...]:
    """What the face of that seed is moved by: uniform within each range, to four digits; without what is 0."""
    drawn = np.random.default_rng(seed)
    edits = tuple((name, round(float(drawn.uniform(low, high)), 4)) for name, low, high in ranges)
    return tuple(edit for edit in edits if edit[1])
