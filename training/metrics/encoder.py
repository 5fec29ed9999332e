"""The small network whose features the metrics compare: trained here without labels, frozen, known by its hash.

Inception's features are what FID is defined by, and its weights are not ours to ship. Features of an encoder that was
trained on the very kind of picture that is measured tell faces apart better than random ones, but figures made with
them compare only with figures of the same encoder: hence "KID-self", and the hash beside every figure.
"""
# N picture, C channel, H W picture, D feature

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from training.atomic import tensors_written_whole
from training.errors import EncoderRefused

BUNDLED = Path(__file__).with_name("faces_features.safetensors")
"""Trained on the train split of the pictures that `faces` learnt from, by `personne train features`."""
SIDE = 64
WIDTHS = (32, 64, 128, 160)
FEATURES = sum(WIDTHS[1:])
MINIBATCH = 64


class Encoder(nn.Module):
    """Four stages of two 3x3 convolutions, each stage at half the resolution of the last.

    A feature is the mean of a channel over the picture, of the last three stages: texture in the early ones, who and
    what in the late ones. Each is brought to mean 0 and deviation 1 over the training pictures.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(_stage(before, after) for before, after in zip((3, *WIDTHS), WIDTHS, strict=False))
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """[N, 3, 64, 64] in -1..1 => [N, D]."""
        pooled = []
        for stage in self.stages:
            x_NCHW = stage(x_NCHW)
            pooled.append(x_NCHW.mean(dim=(2, 3)))
        return (torch.cat(pooled[1:], dim=1) - self.mean) / self.deviation


@dataclass(frozen=True)
class FrozenEncoder:
    """An encoder that no longer changes, and the first 12 hex digits of its file's SHA-256."""

    network: Encoder
    digest: str

    @torch.no_grad()
    def embed(self, pictures_NCHW: Tensor, advance: Callable[[int], None] = lambda _: None) -> Tensor:
        """uint8 [N, 3, R, R] of any R => [N, D] float32. `advance` is told how many more are done."""
        parts = []
        for part in torch.split(pictures_NCHW, MINIBATCH):
            parts.append(self.network(fitted(part)))
            advance(len(part))
        return torch.cat(parts)


def fitted(pictures_NCHW: Tensor) -> Tensor:
    """uint8 pictures as the encoder sees them: [N, 3, 64, 64] in -1..1."""
    x = pictures_NCHW.float() / 127.5 - 1  # 0..255 => [-1, 1]
    if x.shape[2] == SIDE:
        return x
    return F.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)


def save_encoder(encoder: Encoder, path: Path, facts: dict[str, str]) -> None:
    """Write the encoder whole, as float16 safetensors with `facts` as metadata."""
    halves = {name: _half(tensor) for name, tensor in encoder.state_dict().items()}
    with tensors_written_whole(path) as temporary:
        save_file(halves, temporary, metadata=facts)


def open_encoder(path: Path = BUNDLED) -> FrozenEncoder:
    """The encoder in a file of `save_encoder`. Raises EncoderRefused where it holds another network."""
    if not path.is_file():
        raise EncoderRefused(f"{path} is not there; `personne train features` makes such a file")
    encoder = Encoder()
    try:
        encoder.load_state_dict({name: _single(tensor) for name, tensor in load_file(path).items()})
    except Exception as error:  # safetensors raises a class of its own, torch RuntimeError
        raise EncoderRefused(f"{path} holds no encoder of `personne train features`") from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return FrozenEncoder(encoder.eval().requires_grad_(False), digest)


def _stage(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


def _half(tensor: Tensor) -> Tensor:
    return tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()


def _single(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
