"""The story of an export: round, write, prove, describe. A model folder appears whole or not at all."""

import copy
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx
import torch
from safetensors.torch import save_file
from torch import nn

from models.catalogue import ModelEntry, open_model
from models.export.float16_graph import to_float16
from models.export.float16_range import within_float16
from models.export.graphs import (
    Graph,
    MappingGraph,
    SynthesisGraph,
    TranslationGraph,
    check_channels,
    mean_w,
    size_multiple,
)
from models.export.onnx_graph import HALF_FROM, draw_graph, round_to_half, save_graph
from models.export.parity import (
    MAX_LEVELS,
    Comparison,
    as_metrics,
    check,
    compare_float16,
    compare_with_network,
)
from models.export.rounding import largest_change
from models.manifest import MANIFEST_FILE, GeneratorManifest, GraphSpec, TrainingData, TranslatorManifest
from models.networks.architectures import GENERATORS
from models.networks.translator import UPSCALE

WEIGHTS_FILE = "weights.safetensors"
FLOAT16 = "_float16"


@dataclass(frozen=True)
class ModelFacts:
    """What a model's manifest says beyond what its network shows. title: a translator's style, as a person says it."""

    name: str
    licence: str
    origin: str
    training_data: Sequence[TrainingData] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    class_names: Sequence[str] = ()
    title: str = ""


def export_model(
    network: nn.Module,
    family: str,
    facts: ModelFacts,
    destination: Path,
    *,
    kwargs: Mapping[str, Any],
    keep_weights: bool,
    float16: bool = False,
    keep_exact: bool = False,
) -> ModelEntry:
    """Write a network as a model folder: its graphs and a manifest, weights beside them if asked.

    family: a key of architectures. kwargs: what the network was built with; the manifest keeps them. float16: write a
    second graph for GPUs, which computes in float16. The network's weights are rounded to float16 in place, as the
    files hold them; keep_exact: unless that changes a picture by more than a level, then all stay float32. destination:
    nothing is there yet; `Store.making` replaces models. Raises ModelRefused for a picture of two channels, say, and
    ParityFailed when the graphs disagree with the network; then nothing is written.
    """
    network = network.eval().requires_grad_(False)
    metrics = {"rounding_levels": float(_rounding_change(network, family))} if keep_exact else {}
    exact = metrics.get("rounding_levels", 0) > MAX_LEVELS
    if not exact:
        round_to_half(network)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as scratch:
        folder = Path(scratch) / destination.name
        folder.mkdir()
        comparisons = _write_graphs(network, family, folder, float16=float16, exact=exact)
        check(comparisons)
        facts = replace(facts, metrics={**facts.metrics, **metrics, **as_metrics(comparisons)})
        manifest = _describe(network, family, facts, folder, kwargs)
        (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        if keep_weights:
            _save_weights(network, manifest, folder / WEIGHTS_FILE, exact=exact)
        # Refused by the system where anything lies there by now.
        folder.rename(destination)
    return open_model(destination, "store")


def graphs_of(network: nn.Module, family: str) -> dict[str, Graph]:
    """The float32 graphs that a network of this family becomes, by name. Raises ModelRefused for its channels."""
    shown: Any = network
    if family in GENERATORS:
        check_channels(shown.img_channels)
        synthesis = SynthesisGraph(network, takes_transform=family == "stylegan3")
        return {"mapping": MappingGraph(network).eval(), "synthesis": synthesis.eval()}
    check_channels(shown.input_nc, shown.output_nc)
    return {"translation": TranslationGraph(network).eval()}


def _rounding_change(network: nn.Module, family: str) -> int:
    rounded = copy.deepcopy(network)
    round_to_half(rounded)
    return largest_change(graphs_of(network, family), graphs_of(rounded, family))


def _write_graphs(network: nn.Module, family: str, folder: Path, *, float16: bool, exact: bool) -> list[Comparison]:
    rows: list[Comparison] = []
    for name, graph in graphs_of(network, family).items():
        path = folder / f"{name}.onnx"
        model = draw_graph(graph)
        half = _write_float16(network, family, model, folder) if float16 and name != "mapping" else None
        save_graph(model, path, exact=exact)
        rows += compare_with_network(name, graph, path)
        if half is not None:
            rows.append(compare_float16(half.stem, graph, path, half))
    return rows


def _write_float16(network: nn.Module, family: str, model: onnx.ModelProto, folder: Path) -> Path:
    """model: the float32 graph of the network as it is."""
    ranged = within_float16(network)
    name, graph = list(graphs_of(ranged, family).items())[-1]
    path = folder / f"{name}{FLOAT16}.onnx"
    save_graph(to_float16(model if ranged is network else draw_graph(graph)), path)
    return path


def _describe(
    network: Any, family: str, facts: ModelFacts, folder: Path, kwargs: Mapping[str, Any]
) -> GeneratorManifest | TranslatorManifest:
    shared: dict[str, Any] = {
        "name": facts.name,
        "family": family,
        "graphs": {path.stem: _spec(path) for path in sorted(folder.glob("*.onnx"))},
        "licence": facts.licence,
        "origin": facts.origin,
        "training_data": tuple(facts.training_data),
        "metrics": facts.metrics,
        # As JSON has it: lists, no tuples.
        "kwargs": json.loads(json.dumps(kwargs)),
    }
    if family in GENERATORS:
        return GeneratorManifest(
            **shared,
            resolution=network.img_resolution,
            z_dim=network.z_dim,
            c_dim=network.c_dim,
            w_dim=network.w_dim,
            num_ws=network.num_ws,
            class_names=tuple(facts.class_names),
            w_avg=tuple(mean_w(network).tolist()),
        )
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    return TranslatorManifest(
        **shared,
        title=facts.title,
        input_nc=network.input_nc,
        output_nc=network.output_nc,
        ngf=first.out_channels,
        size_multiple=size_multiple(network),
        task=network.task,
        scale=UPSCALE if network.task == "upscale" else 1,
    )


def _spec(path: Path) -> GraphSpec:
    content = path.read_bytes()
    return GraphSpec(file=path.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _save_weights(
    network: nn.Module, manifest: GeneratorManifest | TranslatorManifest, path: Path, *, exact: bool
) -> None:
    """The published tensor names; float16 where `round_to_half` has made the values fit, all float32 where exact.

    The file repeats the manifest's family and kwargs, so that it can be imported where it is found alone.
    """
    tensors = {name: _as_stored(tensor, exact) for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={"family": manifest.family, "kwargs": json.dumps(manifest.kwargs)})


def _as_stored(tensor: torch.Tensor, exact: bool) -> torch.Tensor:
    is_half = not exact and tensor.is_floating_point() and tensor.numel() >= HALF_FROM
    # A copy: safetensors refuses two names for one memory.
    return (tensor.half() if is_half else tensor).contiguous().clone()
