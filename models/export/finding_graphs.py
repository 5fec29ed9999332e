"""The graphs of the small networks around a generator: the face locator's two and the encoder.

locator     picture [N, H, W, 3] -> faces [N, H/8, W/8, 11]; H and W free, multiples of 8
landmarks   picture [N, 64, 64, 3] -> face [N, 11]
encoder     picture [N, R, R, 3] -> ws [N, num_ws, w_dim]

Pictures are uint8 RGB. A face is a score, 0 to 1, and x and y of five landmarks in pixels of the picture.
"""
# N batch, H W picture, h w map, L style layer, D width of w

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.engines.engine import Array
from models.engines.onnx_engine import OnnxEngine
from models.errors import ModelRefused
from models.export.graphs import RGB
from models.export.onnx_graph import draw_graph, round_to_half, save_graph
from models.networks.encoder import EncoderNetwork
from models.networks.landmarks import SIDE, LandmarkNetwork
from models.networks.locator import REACH, STRIDE, LocatorNetwork

MOST_DIFFERENCE = 2e-3
"""Of a graph's outputs from PyTorch's: pixels, or ws."""


class LocatorGraph(nn.Module):
    """Bytes -> the network -> scores, and landmarks as places in the picture."""

    output = "faces"
    resolution = 0
    free_sizes: Mapping[str, Mapping[int, int]] = {"picture": {1: STRIDE, 2: STRIDE}}

    def __init__(self, locator: LocatorNetwork) -> None:
        super().__init__()
        self.network = locator

    def forward(self, picture_NHWC: Tensor) -> Tensor:
        found_NhwO = self.network(_levels(picture_NHWC)).permute(0, 2, 3, 1)
        h, w = found_NhwO.shape[1:3]
        down_hw1 = (torch.arange(h)[:, None, None] + 0.5).expand(h, w, 1)
        across_hw1 = (torch.arange(w)[None, :, None] + 0.5).expand(h, w, 1)
        middle_hw2 = torch.cat([across_hw1, down_hw1], 2) * STRIDE
        points = found_NhwO[..., 1:] * REACH + middle_hw2.repeat(1, 1, 5)
        return torch.cat([found_NhwO[..., :1].sigmoid(), points], -1)

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:
        return {"picture": random.integers(0, 256, (batch, side, width, RGB), dtype=np.uint8)}


class LandmarkGraph(nn.Module):
    """Bytes -> the network -> a score, and landmarks as places in the picture."""

    output = "face"
    resolution = 0
    free_sizes: Mapping[str, Mapping[int, int]] = {}

    def __init__(self, network: LandmarkNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture_NSSC: Tensor) -> Tensor:
        found_NO = self.network(_levels(picture_NSSC))
        return torch.cat([found_NO[:, :1].sigmoid(), (found_NO[:, 1:] + 1) * (SIDE / 2)], -1)

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:  # noqa: ARG002
        return {"picture": random.integers(0, 256, (batch, SIDE, SIDE, RGB), dtype=np.uint8)}


class EncoderGraph(nn.Module):
    """Bytes -> the network -> ws."""

    output = "ws"
    resolution = 0
    free_sizes: Mapping[str, Mapping[int, int]] = {}

    def __init__(self, encoder: EncoderNetwork) -> None:
        super().__init__()
        self.network = encoder

    def forward(self, picture_NRRC: Tensor) -> Tensor:
        ws_NLD: Tensor = self.network(_levels(picture_NRRC))
        return ws_NLD

    def random_inputs(self, random: np.random.Generator, batch: int, side: int = 0, width: int = 0) -> dict[str, Array]:  # noqa: ARG002
        side = self.network.resolution
        return {"picture": random.integers(0, 256, (batch, side, side, RGB), dtype=np.uint8)}


def write_locator(locator: LocatorNetwork, path: Path) -> None:
    """Weights as float16, the network rounded in place. Raises ModelRefused when the file disagrees with it."""
    _write(LocatorGraph(_frozen(locator)), path, ((1, 64, 96), (3, 128, 64)))


def write_landmarks(network: LandmarkNetwork, path: Path) -> None:
    """As write_locator."""
    _write(LandmarkGraph(_frozen(network)), path, ((1, 0, 0), (3, 0, 0)))


def write_encoder(encoder: EncoderNetwork, path: Path) -> None:
    """As write_locator."""
    _write(EncoderGraph(_frozen(encoder)), path, ((1, 0, 0), (3, 0, 0)))


def _write(graph: Any, path: Path, shapes: tuple[tuple[int, int, int], ...]) -> None:
    save_graph(draw_graph(graph.eval()), path)
    engine = OnnxEngine(path, "cpu", batch_sizes=(1, 3))
    try:
        for batch, side, width in shapes:
            inputs = graph.random_inputs(np.random.default_rng(batch), batch, side, width)
            with torch.no_grad():
                expected = graph(*(torch.from_numpy(array) for array in inputs.values())).numpy()
            off = float(np.abs(engine.run(inputs)[graph.output] - expected).max())
            if not off <= MOST_DIFFERENCE:
                path.unlink()
                raise ModelRefused(f"The graph {path.name} is off by {off:.2g}; it was not written.")
    finally:
        engine.close()


def _frozen(network: Any) -> Any:
    network.eval().requires_grad_(False)
    round_to_half(network)
    return network


def _levels(picture_NHWC: Tensor) -> Tensor:
    return picture_NHWC.permute(0, 3, 1, 2).float() / 127.5 - 1  # 0..255 => [-1, 1]
