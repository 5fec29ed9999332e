"""What each exported graph computes, and inputs to try it with.

mapping      z [N, z_dim], psi [N, num_ws], c [N, c_dim] where there are labels -> ws [N, num_ws, w_dim]
synthesis    ws [N, num_ws, w_dim], noise_strength [N], transform [N, 3, 3] of StyleGAN3 -> picture [N, R, R, 3]
translation  picture [N, H, W, 3] -> translation [N, H, W, 3]; H and W free, multiples of the manifest's size_multiple;
             of the task inpaint picture [N, H, W, 4], 255 in the last channel where it is to fill

Pictures are uint8 RGB. psi is a truncation per sample and layer, so that jobs with different wishes share a batch.
noise_strength 1 is the noise as trained, 0 is none; a network without noise accepts it all the same, and nothing
changes, so that a worker treats all generators alike. Conversion to and from bytes happens in the graph: four times
fewer bytes cross to the device and back.
"""
# N batch, L style layer, Z latent, Y label, D width of w, H W picture, C channel

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from models.engines.engine import Array
from models.errors import ModelRefused
from models.networks.filling import LEVELS, MULTIPLE, fill_given

RGB = 3
LUMA = (0.299, 0.587, 0.114)
"""Red, green and blue of a grey level (ITU-R BT.601, as every picture library has it)."""


class Graph(Protocol):
    """A module to export: one tensor for each input, by position."""

    output: str
    resolution: int
    """Side of the pictures that a generator draws; else 0."""
    free_sizes: Mapping[str, Mapping[int, int]]
    """Axes that may change beside the batch, by input: axis -> what its size is a multiple of."""

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:
        """Inputs in the range that jobs have. side, width: of pictures to translate."""
        ...

    def __call__(self, *inputs: Tensor) -> Tensor: ...


class MappingGraph(nn.Module):
    """Truncation: Karras et al. 2019, section 5 and appendix B."""

    output = "ws"
    resolution = 0
    free_sizes: Mapping[str, Mapping[int, int]] = {}

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.network: Any = generator

    def forward(self, z_NZ: Tensor, psi_NL: Tensor, c_NY: Tensor | None = None) -> Tensor:
        ws_NLD = self.network.mapping(z_NZ) if c_NY is None else self.network.mapping(z_NZ, c_NY)
        w_avg_D = mean_w(self.network)
        truncated: Tensor = w_avg_D + psi_NL[:, :, None] * (ws_NLD - w_avg_D)
        return truncated

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:  # noqa: ARG002
        inputs: dict[str, Array] = {
            "z": random.standard_normal((batch, self.network.z_dim), dtype=np.float32),
            "psi": random.random((batch, self.network.num_ws), dtype=np.float32),
        }
        if self.network.c_dim:
            inputs["c"] = np.eye(self.network.c_dim, dtype=np.float32)[random.integers(self.network.c_dim, size=batch)]
        return inputs


class SynthesisGraph(nn.Module):
    """A grey picture leaves with three equal channels, a transparent one laid over white."""

    output = "picture"
    free_sizes: Mapping[str, Mapping[int, int]] = {}

    def __init__(self, generator: Any, *, takes_transform: bool = False) -> None:
        super().__init__()
        self.network = generator
        self.resolution: int = generator.img_resolution
        self.takes_transform = takes_transform

    def forward(self, ws_NLD: Tensor, noise_strength_N: Tensor, transform_N33: Tensor | None = None) -> Tensor:
        arguments: dict[str, Any] = {"noise_mode": "const", "noise_gain": noise_strength_N[:, None, None, None]}
        if transform_N33 is not None:
            arguments["transform_N33"] = transform_N33
        return to_bytes(self.network.synthesis(ws_NLD, **arguments))

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:  # noqa: ARG002
        mapping = MappingGraph(self.network)
        # Untruncated: the widest that jobs have.
        drawn = {**mapping.random_inputs(random, batch), "psi": np.ones((batch, self.network.num_ws), np.float32)}
        with torch.no_grad():
            ws_NLD = mapping(*(torch.from_numpy(value) for value in drawn.values()))
        inputs: dict[str, Array] = {"ws": ws_NLD.numpy(), "noise_strength": random.random(batch, dtype=np.float32)}
        if self.takes_transform:
            inputs["transform"] = _random_transforms(random, batch)
        return inputs


class TranslationGraph(nn.Module):
    """Bytes -> -1..1 -> the translator -> bytes."""

    output = "translation"
    resolution = 0

    def __init__(self, translator: Any) -> None:
        super().__init__()
        self.network = translator
        self.takes_mask: bool = translator.task == "inpaint"
        multiple = size_multiple(translator)
        self.free_sizes: Mapping[str, Mapping[int, int]] = {"picture": {1: multiple, 2: multiple}}
        self.register_buffer("luma", torch.tensor(LUMA), persistent=False)

    def forward(self, picture_NHWC: Tensor) -> Tensor:
        x_NCHW = picture_NHWC.permute(0, 3, 1, 2).float() / 127.5 - 1  # 0..255 -> [-1, 1]
        if self.network.input_nc == 1:
            x_NCHW = (x_NCHW * self.get_buffer("luma")[:, None, None]).sum(dim=1, keepdim=True)
        elif self.network.input_nc == RGB + 1 and not self.takes_mask:
            x_NCHW = torch.cat([x_NCHW, torch.ones_like(x_NCHW[:, :1])], dim=1)
        if self.takes_mask:
            # As it was taught; whoever runs the graph need not know how.
            x_NCHW = fill_given(x_NCHW, LEVELS)
        return to_bytes(self.network(x_NCHW))

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:
        """Coarse coloured tiles under fine noise: as photographs have them, flat parts, edges and texture."""
        tiles_NHWC = random.integers(0, 224, (batch, -(-side // 8), -(-width // 8), RGB), dtype=np.uint8)
        coarse_NHWC = tiles_NHWC.repeat(8, axis=1).repeat(8, axis=2)[:, :side, :width]
        fine_NHWC = random.integers(0, 32, coarse_NHWC.shape, dtype=np.uint8)
        picture_NHWC = coarse_NHWC + fine_NHWC
        if not self.takes_mask:
            return {"picture": picture_NHWC}
        mask_NHWC = np.zeros_like(picture_NHWC[..., :1])
        mask_NHWC[:, side // 4 : side // 2, width // 4 : width // 2] = 255
        picture_NHWC[mask_NHWC[..., 0] > 0] = 128
        return {"picture": np.concatenate([picture_NHWC, mask_NHWC], axis=3)}


def size_multiple(translator: Any) -> int:
    """What divides the sides of a picture that a translator takes; all that divide are powers of 2."""
    multiple: int = translator.size_multiple
    return max(multiple, MULTIPLE) if translator.task == "inpaint" else multiple


def mean_w(generator: Any) -> Tensor:
    """The mean w, [w_dim]; zeros where the network keeps none."""
    for holder in (generator, generator.mapping):
        w_avg: Tensor | None = getattr(holder, "w_avg", None)
        if w_avg is not None:
            return w_avg
    return torch.zeros(generator.w_dim)


def to_bytes(x_NCHW: Tensor) -> Tensor:
    """[N, C, H, W] in -1..1 -> [N, H, W, 3] uint8; C is 1 (grey), 3, or 4 (the last is opacity: over white).

    The published tools cut 127.5 x + 128 off; so 1 and what nearly is 1 both become 255, whatever tanh's last bit.
    """
    if x_NCHW.shape[1] == RGB + 1:
        opacity_N1HW = (x_NCHW[:, RGB:] + 1) / 2
        x_NCHW = x_NCHW[:, :RGB] * opacity_N1HW + (1 - opacity_N1HW)
    bytes_NCHW = (x_NCHW * 127.5 + 128).clamp(0, 255).expand(-1, RGB, -1, -1)
    picture: Tensor = bytes_NCHW.permute(0, 2, 3, 1).to(torch.uint8)
    return picture


def check_channels(*channels: int) -> None:
    """Raises ModelRefused for a picture that is neither grey, nor RGB, nor RGB with opacity."""
    for count in channels:
        if count not in (1, RGB, RGB + 1):
            raise ModelRefused(f"A picture of {count} channels cannot be served; 1 (grey), 3 and 4 (opacity) can.")


def _random_transforms(random: np.random.Generator, batch: int) -> Array:
    """Rotations by any angle and shifts by up to a quarter of the picture."""
    transforms_N33 = np.tile(np.eye(3, dtype=np.float32), (batch, 1, 1))
    angles_N = random.random(batch) * 2 * np.pi
    transforms_N33[:, 0, 0] = transforms_N33[:, 1, 1] = np.cos(angles_N)
    transforms_N33[:, 1, 0] = np.sin(angles_N)
    transforms_N33[:, 0, 1] = -transforms_N33[:, 1, 0]
    transforms_N33[:, :2, 2] = random.random((batch, 2)) / 2 - 0.25
    return transforms_N33
