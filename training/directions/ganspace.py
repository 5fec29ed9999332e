"""The main axes along which a generator's own latents differ (Härkönen et al. 2020, "GANSpace")."""
# N latents, K components, D width of w

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Components:
    """vectors: [K, D], of length 1, the widest first. deviations: [K], of the latents along each. shares: [K], of all
    variance."""

    vectors: NDArray[np.float64]
    deviations: NDArray[np.float64]
    shares: NDArray[np.float64]


def principal_components(ws_ND: NDArray[np.floating], count: int) -> Components:
    """The first components of these latents, each with its largest number positive, so that signs do not depend on the
    machine. Raises ValueError for fewer latents than components."""
    if count > min(len(ws_ND) - 1, ws_ND.shape[1]):
        raise ValueError(f"{len(ws_ND)} latents of {ws_ND.shape[1]} numbers have fewer than {count} components")
    covariance = np.cov(ws_ND.astype(np.float64), rowvar=False)
    values, columns = np.linalg.eigh(covariance)
    values, columns = values[::-1].clip(min=0), columns[:, ::-1]
    vectors = signed(columns[:, :count].T)
    return Components(vectors, np.sqrt(values[:count]), values[:count] / values.sum())


def signed(vectors_KD: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same axes, each turned so that its largest number is positive."""
    largest = np.abs(vectors_KD).argmax(axis=1)
    signs = np.sign(vectors_KD[np.arange(len(vectors_KD)), largest])
    turned: NDArray[np.float64] = vectors_KD * signs[:, None]
    return turned
