"""The network of a model folder, from its weights or from what its graphs hold."""

from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.catalogue import ModelEntry
from models.errors import ModelRefused
from models.export.export_model import FLOAT16, WEIGHTS_FILE
from models.export.onnx_graph import stored_tensors
from models.networks.architectures import build, build_untrained


def rebuild(entry: ModelEntry) -> nn.Module:
    """The PyTorch network that a model was exported from, for evaluation.

    From weights.safetensors where the folder has one. A bundled model has none: then from the weights in its graphs,
    which bear the network's names; what no graph uses keeps the value of a new network, and changes no picture. Raises
    ModelRefused when the manifest does not say how the network was built, and when its weights do not fit.
    """
    manifest = entry.manifest
    if not manifest.kwargs:
        raise ModelRefused(
            f"The manifest of {manifest.name!r} does not say how its network was built; export the model again."
        )
    weights = entry.folder / WEIGHTS_FILE
    if weights.is_file():
        return build(manifest.family, manifest.kwargs, load_file(weights))
    network = build_untrained(manifest.family, manifest.kwargs)
    _fill(network, _tensors_in_graphs(entry))
    return network


def _tensors_in_graphs(entry: ModelEntry) -> dict[str, Any]:
    tensors: dict[str, Any] = {}
    for name in entry.manifest.graphs:
        # A float16 graph holds some weights scaled.
        if not name.endswith(FLOAT16):
            tensors |= stored_tensors(entry.graph_path(name))
    return tensors


def _fill(network: nn.Module, found: dict[str, Any]) -> None:
    own: dict[str, Tensor] = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for name, tensor in own.items():
        if name not in found:
            continue
        if tuple(tensor.shape) != found[name].shape:
            raise ModelRefused(
                f"The graphs hold {name} as {list(found[name].shape)}, the network {list(tensor.shape)}."
            )
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(found[name]))
