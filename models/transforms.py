"""Where the user puts the picture of a StyleGAN3: translation and rotation as the 3x3 matrix its synthesis takes."""

import math

import numpy as np
from numpy.typing import NDArray


def make_transform(
    translate_x: float = 0.0, translate_y: float = 0.0, rotate_degrees: float = 0.0
) -> NDArray[np.float32]:
    """The matrix [3, 3] float32 for a picture that is first rotated about its centre, then translated.

    translate_x moves the picture's content to the right and translate_y down, in picture widths: 0.25 is a quarter of
    the picture. rotate_degrees turns it counterclockwise. What comes in from beyond the border is drawn, not empty.
    These are the signs and units of --translate and --rotate of the published tool; as there, the matrix handed to the
    network is the inverse: it leads from a place in the new picture to the place that is shown there.
    A network of kind T was trained to be translated only: rotated, its details go astray.
    """
    angle = math.radians(rotate_degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    # y points down, so that this turns counterclockwise.
    placed_33 = np.array([[cos, sin, translate_x], [-sin, cos, translate_y], [0, 0, 1]], dtype=np.float64)
    return np.linalg.inv(placed_33).astype(np.float32)
