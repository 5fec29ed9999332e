"""Whether pictures are such as a generator draws by itself, told from their light and their texture, without labels."""
# N pictures, C colours, H W picture, F features

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Features = NDArray[np.float64]

WITHIN = (1.0, 99.0)
"""Percentiles of the model's own pictures between which a feature of light counts as usual."""
MARGIN = 0.1
"""By this share of its width each interval of light is wider than what they showed."""
SIDE, SCALES = 64, 4
"""Texture is read at 64x64 pixels, and at a half, a quarter and an eighth of that."""
QUIET = 0.25
"""Levels of 255 that are added to each step before its logarithm: less than that is as good as none."""
NEIGHBOURS = 5
CORRELATED = 0.5
"""How much of the correlations of texture is believed: those of a few dozen pictures are half chance."""
STRANGE = 1.75
"""So many medians of the model's own strangeness are too much: some 2 % of its own pictures. A percentile out there
would hang on two or three pictures, and ranges with it."""


class UsualPictures:
    """What is usual in the pictures of one generator, of whatever it draws: nothing is known but what it showed.

    Usual is a picture whose brightness, contrast, share of black and white, and fine detail each lie within what the
    `varied` ones show, and whose texture is hardly stranger to the `plain` ones than they are to each other.
    """

    def __init__(self, varied: Sequence[Picture], plain: Sequence[Picture]) -> None:
        light_NF = np.stack([light(picture) for picture in varied])
        low_F, high_F = np.percentile(light_NF, WITHIN, axis=0)
        margin_F = MARGIN * (high_F - low_F)
        self._low_F, self._high_F = low_F - margin_F, high_F + margin_F
        self._strangeness = Strangeness(np.stack([texture(picture) for picture in plain]))

    def share(self, pictures: Sequence[Picture]) -> float:
        """Of these pictures, how many are usual."""
        light_NF = np.stack([light(picture) for picture in pictures])
        lit_N = ((light_NF >= self._low_F) & (light_NF <= self._high_F)).all(axis=1)
        strange_N = self._strangeness.of(np.stack([texture(picture) for picture in pictures]))
        return float((lit_N & (strange_N <= self._strangeness.usual)).mean())


class Strangeness:
    """The distance of features to the fifth nearest of some pictures, features being decorrelated halfway.

    usual: up to this, pictures of the same kind are strange to each other.
    """

    def __init__(self, own_NF: Features) -> None:
        self._mean_F = own_NF.mean(axis=0)
        # What never varies, as the colours of a model of grey pictures, is not divided by nothing.
        self._deviation_F = np.maximum(own_NF.std(axis=0), 1e-3)
        standard_NF = (own_NF - self._mean_F) / self._deviation_F
        covariance_FF = CORRELATED * standard_NF.T @ standard_NF / len(own_NF)
        covariance_FF += (1 - CORRELATED) * np.eye(len(covariance_FF))
        self._whitening_FF = np.linalg.cholesky(np.linalg.inv(covariance_FF))
        self._own_NF = self._whitened(own_NF)
        # The nearest to each is itself.
        self.usual = STRANGE * float(np.median(self._to_neighbour(self._own_NF, NEIGHBOURS + 1)))

    def of(self, features_NF: Features) -> Features:
        """[N]"""
        return self._to_neighbour(self._whitened(features_NF), NEIGHBOURS)

    def _whitened(self, features_NF: Features) -> Features:
        whitened: Features = (features_NF - self._mean_F) / self._deviation_F @ self._whitening_FF
        return whitened

    def _to_neighbour(self, points_NF: Features, nth: int) -> Features:
        distances_NM = np.linalg.norm(points_NF[:, None] - self._own_NF[None], axis=2)
        to_neighbour: Features = np.sort(distances_NM, axis=1)[:, min(nth, len(self._own_NF)) - 1]
        return to_neighbour


def light(picture: Picture) -> Features:
    """[F]: mean brightness, contrast, share of black and white, mean step between neighbours."""
    grey = picture.astype(np.float64).mean(axis=2)
    steps = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    ends = ((grey < 2) | (grey > 253)).mean() * 255
    return np.array([grey.mean(), grey.std(), ends, steps])


def texture(picture: Picture) -> Features:
    """[F]: logarithms of the root mean square step between neighbours, of three colours, in four directions, at each
    scale. Of the whole picture: where something stands says nothing, so that a head may turn."""
    small_HWC = np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)
    red, green, blue = np.moveaxis(small_HWC, 2, 0)
    x_CHW = np.stack([(red + green + blue) / 3, red - blue, green - (red + blue) / 2])
    found = []
    for _ in range(SCALES):
        steps = (
            x_CHW[:, :, 1:] - x_CHW[:, :, :-1],
            x_CHW[:, 1:] - x_CHW[:, :-1],
            x_CHW[:, 1:, 1:] - x_CHW[:, :-1, :-1],
            x_CHW[:, 1:, :-1] - x_CHW[:, :-1, 1:],
        )
        found += [np.sqrt(np.square(step).mean(axis=(1, 2))) for step in steps]
        x_CHW = x_CHW.reshape(len(x_CHW), x_CHW.shape[1] // 2, 2, x_CHW.shape[2] // 2, 2).mean(axis=(2, 4))
    return np.log(np.concatenate(found) + QUIET)
