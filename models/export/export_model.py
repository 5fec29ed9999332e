"""The story of an export: round, write, prove, describe. A model folder appears whole or not at all."""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors.torch import save_file

from models.catalogue import ModelEntry, open_model
from models.export.onnx_graph import HALF_FROM, round_to_half, write_mapping, write_synthesis
from models.export.parity import check_parity
from models.manifest import MANIFEST_FILE, GeneratorManifest, GraphSpec, TrainingData
from models.networks.stylegan2 import Generator

WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True)
class ModelFacts:
    """What a model's manifest says beyond what its network shows."""

    name: str
    licence: str
    origin: str
    training_data: Sequence[TrainingData] = ()
    metrics: dict[str, float] = field(default_factory=dict)


def export_model(generator: Generator, facts: ModelFacts, destination: Path, *, keep_weights: bool) -> ModelEntry:
    """Write a StyleGAN2 generator as a model folder: two graphs and a manifest, weights beside them if asked.

    The generator's weights are rounded to float16 in place, as the files hold them. An older folder of that name is
    replaced at the end. Raises ParityFailed when the graphs disagree with the network; then nothing is written.
    """
    generator = generator.eval().requires_grad_(False)
    round_to_half(generator)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as scratch:
        folder = Path(scratch) / destination.name
        folder.mkdir()
        write_mapping(generator, folder / "mapping.onnx")
        write_synthesis(generator, folder / "synthesis.onnx")
        parity = check_parity(generator, folder / "mapping.onnx", folder / "synthesis.onnx")
        manifest = _describe(generator, facts, folder, parity)
        (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        if keep_weights:
            _save_weights(generator, folder / WEIGHTS_FILE)
        if destination.exists():
            shutil.rmtree(destination)
        folder.rename(destination)
    return open_model(destination, "store")


def _describe(generator: Generator, facts: ModelFacts, folder: Path, parity: dict[str, float]) -> GeneratorManifest:
    return GeneratorManifest(
        name=facts.name,
        family="stylegan2",
        resolution=generator.img_resolution,
        z_dim=generator.z_dim,
        c_dim=generator.c_dim,
        w_dim=generator.w_dim,
        num_ws=generator.num_ws,
        graphs={"mapping": _spec(folder / "mapping.onnx"), "synthesis": _spec(folder / "synthesis.onnx")},
        licence=facts.licence,
        origin=facts.origin,
        training_data=tuple(facts.training_data),
        metrics={**facts.metrics, **parity},
        w_avg=tuple(generator.mapping.w_avg.tolist()),
    )


def _spec(path: Path) -> GraphSpec:
    content = path.read_bytes()
    return GraphSpec(file=path.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _save_weights(generator: Generator, path: Path) -> None:
    """The official tensor names; float16 where `round_to_half` has made the values fit."""
    tensors = {
        name: tensor.half().contiguous() if tensor.numel() >= HALF_FROM else tensor.contiguous()
        for name, tensor in generator.state_dict().items()
    }
    save_file(tensors, path)
