"""One model in memory: opened as its kind asks, and what it is reckoned to take."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, save

from models.catalogue import Catalogue, ModelEntry
from models.manifest import GraphSpec, TranslatorManifest
from tests.worker.bench import CONFIG
from worker.loaded_model import LoadedTranslator, largest_batch, memory_mb
from worker.loaded_models import LoadedModels


def identity_graph(folder: Path) -> GraphSpec:
    shape = ["batch", "height", "width", 3]
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name in ("picture", "translation")]
    nodes = [helper.make_node("Identity", ["picture"], ["translation"])]
    graph = helper.make_graph(nodes, "identity", ends[:1], ends[1:])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), folder / "graph.onnx")
    return GraphSpec(file="graph.onnx", sha256="0" * 64, bytes=100)


def test_a_translator_opens_too(tmp_path: Path) -> None:
    manifest = TranslatorManifest(
        name="still",
        family="cyclegan",
        graphs={"translation": identity_graph(tmp_path)},
        licence="CC0-1.0",
        origin="written for tests",
        input_nc=3,
        output_nc=3,
        ngf=8,
        size_multiple=4,
    )
    models = LoadedModels(Catalogue({"still": ModelEntry(manifest, tmp_path, "store")}), CONFIG)
    models.open()
    photo = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    with models.held(manifest.digest) as model:
        assert isinstance(model, LoadedTranslator)
        assert np.array_equal(model.translation.run({"picture": photo})["translation"], photo)
    models.close()


def test_large_pictures_run_one_by_one_on_the_cpu_and_in_small_batches_on_a_gpu(tiny_catalogue: Catalogue) -> None:
    manifest = tiny_catalogue.named("tiny").generator
    sides = (32, 128, 256, 512, 1024)
    sized = [manifest.model_copy(update={"resolution": side}) for side in sides]
    assert [largest_batch(one, "cpu") for one in sized] == [8, 8, 8, 1, 1]
    assert [largest_batch(one, "cuda:0") for one in sized] == [32, 32, 16, 8, 4]


def test_the_estimate_is_not_below_what_was_measured(tiny_catalogue: Catalogue) -> None:
    """Resident memory after batches of eight; the figures in docs/operations.md."""
    manifest = tiny_catalogue.named("tiny").generator
    two_cores = replace(CONFIG, threads=2)
    for side, megabytes, measured in (
        (64, 2.9, 83),
        (64, 47.7, 636),
        (256, 60.5, 2226),
        (512, 51.3, 594),
        (1024, 66.5, 2112),
    ):
        graph = GraphSpec(file="graph.onnx", sha256="0" * 64, bytes=int(megabytes * 5e5))
        sized = manifest.model_copy(update={"resolution": side, "graphs": {"mapping": graph, "synthesis": graph}})
        estimate = memory_mb(sized, two_cores, "cpu")
        assert measured <= estimate <= 5 * measured, (side, megabytes, estimate)
