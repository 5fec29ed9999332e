"""What the shipped estimators say of a face, and where their graph lies.

The graph `estimators.onnx`: `picture` [N, 64, 64, 3] uint8 RGB, aligned as in FFHQ -> `scores` [N, K] float32, in the
order of ESTIMATES: of a chance its logit, of a number the number.
"""

from dataclasses import dataclass
from pathlib import Path

SIDE = 64
"""Of the pictures that are judged, in pixels."""
BUNDLED_ESTIMATORS = Path(__file__).parent / "bundled" / "estimators"
GRAPH_FILE = "estimators.onnx"
REPORT_FILE = "accuracy.json"


@dataclass(frozen=True, slots=True)
class AttributeEstimate:
    """One score. low, high: what the ends of its scale look like. is_chance: a logit, of a yes and no; else a number in
    `unit`. from_pixels: computed, not learnt. turns_with_mirror: changes its sign in the mirror."""

    name: str
    low: str
    high: str
    is_chance: bool = False
    unit: str = ""
    from_pixels: bool = False
    turns_with_mirror: bool = False

    @property
    def meaning(self) -> str:
        return f"from {self.low} to {self.high}"


ESTIMATES: tuple[AttributeEstimate, ...] = (
    AttributeEstimate("gender", "the portraits labelled F", "the portraits labelled M", is_chance=True),
    AttributeEstimate("age", "younger", "older", unit="years"),
    AttributeEstimate(
        "pose",
        "turned to the picture's left",
        "turned to its right",
        unit="nose's offset, in distances of the eyes",
        turns_with_mirror=True,
    ),
    AttributeEstimate("smile", "a closed mouth", "teeth shown in a smile", is_chance=True),
    AttributeEstimate("glasses", "no glasses", "glasses", is_chance=True),
    AttributeEstimate("beard", "a shaven face", "a beard or a moustache", is_chance=True),
    AttributeEstimate(
        "background",
        "a dark background",
        "a bright one",
        unit="brightness of both upper corners, 0 to 1",
        from_pixels=True,
    ),
    AttributeEstimate(
        "brightness", "a dark face", "a bright one", unit="brightness of the cheeks, 0 to 1", from_pixels=True
    ),
    AttributeEstimate("hair", "dark hair", "bright hair", unit="brightness above the brow, 0 to 1", from_pixels=True),
)
"""In the order of the graph's columns."""
