"""The published cases, the containers that they come in, and whether an imported model draws what they draw."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.catalogue import Catalogue, ModelEntry
from models.networks.architectures import build
from tests.models.checkpoints.pickles import write_nvlabs_pickle
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator, LoadedTranslator
from worker.loaded_models import LoadedModels

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A folder of vectors."""

    name: str
    description: dict[str, Any]
    weights: dict[str, Tensor]
    tensors: dict[str, Tensor]


def as_nvlabs_pickle(case: Case, folder: Path) -> Path:
    kwargs = case.description["init_kwargs"]
    return write_nvlabs_pickle(folder / "network-snapshot-000100.pkl", "Generator", kwargs, case.weights)


def as_rosinality(case: Case, folder: Path) -> Path:
    other = {name: torch.zeros_like(tensor) for name, tensor in case.weights.items()}
    content = {
        "g": other,
        "d": {"final_linear.0.bias": torch.zeros(1)},
        "g_ema": case.weights,
        "args": argparse.Namespace(size=32),
    }
    content |= {"g_optim": {"state": {}, "param_groups": [{"lr": 0.002}]}, "latent_avg": case.tensors["latent_avg"][0]}
    return saved(content, folder / "550000.pt")


def as_genforce(case: Case, folder: Path) -> Path:
    other = {name: torch.zeros_like(tensor) for name, tensor in case.weights.items()}
    return saved({"generator": other, "discriminator": {}, "generator_smooth": case.weights}, folder / "official.pth")


def as_cyclegan(case: Case, folder: Path) -> Path:
    return saved(case.weights, folder / "latest_net_G.pth")


def as_old_pix2pix(case: Case, folder: Path) -> Path:
    """As PyTorch 0.3 wrote it, of a network in DataParallel."""
    old = {f"module.{name}": tensor for name, tensor in case.weights.items() if "num_batches" not in name}
    return saved(old, folder / "200_net_G.pth", _use_new_zipfile_serialization=False)


def as_safetensors(case: Case, folder: Path) -> Path:
    path = folder / "exported.safetensors"
    save_file(case.weights, path, metadata={"license": "CC-BY-4.0"})
    return path


def saved(content: Any, path: Path, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def read_case(name: str) -> Case:
    folder = VECTORS / name
    if not folder.is_dir():
        pytest.skip("the reference vectors of ../shared are not here")
    description = json.loads((folder / "case.json").read_text())
    return Case(
        name, description, load_file(folder / "weights.safetensors"), load_file(folder / "expected.safetensors")
    )


def as_bytes(img_NCHW: Tensor) -> Pictures:
    # [-1, 1] -> 0..255, as the published tools write pictures
    bytes_NCHW = (img_NCHW.expand(-1, 3, -1, -1) * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    return bytes_NCHW.permute(0, 2, 3, 1).numpy()


def calls(case: Case) -> Iterator[tuple[dict[str, Any], Tensor]]:
    """Each call of a generator's case: truncation, noise and transform, and the published picture."""
    if "calls" in case.description:
        for i, call in enumerate(case.description["calls"]):
            yield call, case.tensors[f"img_{i}"]
    elif case.name == "stylegan1_32":
        yield {"truncation_psi": 0.7, "truncation_cutoff": 8}, case.tensors["img"]
    elif case.name == "pggan_32":
        yield {}, case.tensors["img"]
    else:
        yield {}, case.tensors["img_psi1"]
        yield {"truncation_psi": 0.6}, case.tensors["img_psi06"]


def drawn(model: LoadedGenerator, case: Case, call: dict[str, Any]) -> Pictures:
    count = len(case.tensors["z"])
    psi_NL = np.ones((count, model.manifest.num_ws), np.float32)
    psi_NL[:, : call.get("truncation_cutoff")] = call.get("truncation_psi", 1)
    inputs = {"z": case.tensors["z"].numpy(), "psi": psi_NL}
    if model.manifest.c_dim:
        inputs["c"] = case.tensors["c"].numpy()
    strength = 0 if call.get("noise_mode") == "none" else 1
    arrays = {"ws": model.mapping.run(inputs)["ws"], "noise_strength": np.full(count, strength, np.float32)}
    if model.manifest.takes_transform:
        transform_33 = np.array(call.get("transform", np.eye(3)), np.float32)
        arrays["transform"] = np.repeat(transform_33[None], count, axis=0)
    pictures: Pictures = model.synthesis.run(arrays)["picture"]
    return pictures


def compare_generator(model: LoadedGenerator, case: Case) -> None:
    for call, published in calls(case):
        assert_one_level(drawn(model, case, call), as_bytes(published))


def compare_translator(model: LoadedTranslator, case: Case) -> None:
    """Against the published network on what a picture can hold: bytes. (Its agreement is tested elsewhere.)"""
    published = build(model.manifest.family, model.manifest.kwargs, case.weights)
    for name in (name for name in case.tensors if name.startswith("in_")):
        bytes_NHWC = as_bytes(case.tensors[name])
        x_NCHW = torch.from_numpy(bytes_NHWC).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad():
            expected = published(x_NCHW)
        assert (expected - case.tensors[name.replace("in", "out")]).abs().mean() < 0.02, "nearly the published input"
        assert_one_level(model.translation.run({"picture": bytes_NHWC})["translation"], as_bytes(expected))


def assert_one_level(found: Pictures, published: Pictures) -> None:
    assert found.shape == published.shape
    assert published.std() > 10, "a picture, not a plane"
    assert np.abs(found.astype(int) - published.astype(int)).max() <= 1


def assert_draws_as_published(entry: ModelEntry, case: Case) -> None:
    """Every call of the case, of the graphs as a worker opens them."""
    models = LoadedModels(Catalogue({entry.manifest.name: entry}), WorkerConfig(worker_id="test", device="cpu"))
    models.open()
    try:
        with models.held(entry.manifest.digest) as model:
            if isinstance(model, LoadedGenerator):
                compare_generator(model, case)
            else:
                assert isinstance(model, LoadedTranslator)
                compare_translator(model, case)
    finally:
        models.close()
