"""Whether storing weights as float16 shows: what a network draws with its weights rounded, beside what it draws."""
# N batch, L style layer, H W picture, C channel

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from models.export.graphs import Graph

TRIED_PIXELS = 8 * 256 * 256
MOST_TRIED = 8
SIDE = 256
"""Of the pictures that are translated, rounded up to what the network takes."""


def largest_change(graphs: Mapping[str, Graph], rounded: Mapping[str, Graph]) -> int:
    """The most that any byte of a few pictures differs between a network and its rounded copy, in levels of 255.

    Faces are not truncated, where the change is largest.
    """
    with torch.no_grad():
        before, after = _drawn(graphs), _drawn(rounded)
    return int((before.int() - after.int()).abs().max())


def _drawn(graphs: Mapping[str, Graph]) -> Tensor:
    random = np.random.default_rng(0)
    if "mapping" not in graphs:
        graph = graphs["translation"]
        multiple = max(multiple for axes in graph.free_sizes.values() for multiple in axes.values())
        side = -(-SIDE // multiple) * multiple
        picture_NHWC = graph.random_inputs(random, max(1, TRIED_PIXELS // 4 // side**2), side, side)["picture"]
        return graph(torch.from_numpy(picture_NHWC))
    count = _count(graphs["synthesis"])
    inputs = graphs["mapping"].random_inputs(random, count)
    inputs["psi"] = np.ones_like(inputs["psi"])
    ws_NLD = graphs["mapping"](*(torch.from_numpy(array) for array in inputs.values()))
    others = graphs["synthesis"].random_inputs(random, count)
    others["noise_strength"] = np.ones_like(others["noise_strength"])
    rest = [torch.from_numpy(array) for name, array in others.items() if name != "ws"]
    return torch.cat([graphs["synthesis"](ws_NLD[i : i + 1], *(one[i : i + 1] for one in rest)) for i in range(count)])


def _count(synthesis: Graph) -> int:
    side: int = getattr(getattr(synthesis, "network", None), "img_resolution", SIDE)
    return max(1, min(MOST_TRIED, TRIED_PIXELS // side**2))
