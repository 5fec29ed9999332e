"""FID and KID by torchmetrics, on the features of an Inception network that the reader brings.

Its weights are not ours to ship. The file that the StyleGAN and clean-fid tools download, inception-2015-12-05.pt, is a
network whole (TorchScript), so that neither torchvision nor a network of our own is needed.
"""
# N sample, M real, C channel, H W picture, D feature

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.errors import EncoderRefused

FEATURES = 2048
MINIBATCH = 32
SUBSETS, LARGEST_SUBSET = 100, 1000


class Inception(nn.Module):
    """A TorchScript network of uint8 pictures of any size, which scales them itself: [N, 3, H, W] => [N, D]."""

    num_features = FEATURES

    def __init__(self, path: Path) -> None:
        super().__init__()
        load: Any = torch.jit.load
        try:
            with warnings.catch_warnings():
                # PyTorch would have it exported anew; the published file is TorchScript.
                warnings.simplefilter("ignore", DeprecationWarning)
                self.network = load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise EncoderRefused(f"{path} is no TorchScript file such as inception-2015-12-05.pt") from error

    @torch.no_grad()
    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        features: Tensor = self.network(pictures_NCHW, return_features=True)
        return features


def inception_figures(
    samples_NCHW: Tensor, real_MCHW: Tensor, weights: Path, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """fid, and kid times 1,000, of samples and real pictures, uint8; beside each its floor: that of two random halves
    of the real ones. Samples are compared with as many real ones as a half has, because FID depends on the count.

    Raises EncoderRefused where `weights` is no such network.
    """
    network = Inception(weights)
    order = torch.randperm(len(real_MCHW), generator=torch.Generator().manual_seed(seed))
    half = min(len(samples_NCHW), len(real_MCHW) // 2)
    one, other = real_MCHW[order[:half]], real_MCHW[order[len(order) - half :]]
    value, floor = _compared(network, samples_NCHW[:half], one), _compared(network, other, one)
    return {name: (value[name], floor[name]) for name in value}


def _compared(network: Inception, samples: Tensor, real: Tensor) -> dict[str, float]:
    # Here, not above: it is needed by those alone who bring weights, and slow to import.
    from torchmetrics.image.fid import FrechetInceptionDistance  # noqa: PLC0415
    from torchmetrics.image.kid import KernelInceptionDistance  # noqa: PLC0415

    size = min(LARGEST_SUBSET, len(samples), len(real))
    fid: Any = FrechetInceptionDistance(feature=network)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save all")
        kid: Any = KernelInceptionDistance(feature=network, subsets=SUBSETS, subset_size=size)
    for metric in (fid, kid):
        for part in torch.split(samples, MINIBATCH):
            metric.update(part, real=False)
        for part in torch.split(real, MINIBATCH):
            metric.update(part, real=True)
    return {"fid": float(fid.compute()), "kid": 1000 * float(kid.compute()[0])}
