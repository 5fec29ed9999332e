import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from jobs.contract import GenerateJob, PictureFormat
from models.catalogue import Catalogue
from models.engines.onnx_engine import OnnxEngine
from worker.config import WorkerConfig
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.task import tasks_for

TASKS = tasks_for(WorkerConfig("test"))


@pytest.fixture(scope="module")
def tiny(tiny_catalogue: Catalogue, tiny_digest: str) -> Iterator[LoadedGenerator]:
    models = LoadedModels(tiny_catalogue, WorkerConfig(worker_id="test", device="cpu"))
    models.open()
    with models.held(tiny_digest) as model:
        assert isinstance(model, LoadedGenerator)
        yield model
    models.close()


def job(seed: int, psi: float = 0.7, size: int = 32, picture_format: PictureFormat = PictureFormat.PNG) -> GenerateJob:
    return GenerateJob(model="tiny", seed=seed, truncation_psi=psi, size=size, format=picture_format)


def pictures(model: LoadedGenerator, jobs: list[GenerateJob]) -> np.ndarray:
    task = TASKS["generate"]
    return task.run(task.prepare(jobs, model), model).astype(int)


def test_each_job_has_its_own_seed_and_psi(tiny: LoadedGenerator) -> None:
    together = pictures(tiny, [job(1), job(2), job(1, psi=0.0), job(2, psi=0.0)])
    assert together.shape == (4, 32, 32, 3)
    assert np.abs(together[0] - together[1]).max() > 8
    assert np.abs(together[2] - together[3]).max() <= 1, "psi 0 is the average face, whatever the seed"


@pytest.mark.parametrize("count", [2, 5, 8])
def test_a_face_alone_is_the_face_in_company(tiny: LoadedGenerator, count: int) -> None:
    seeds = [7, 2**32 + 7, 2**64 - 1, 0, 1, 2, 3, 4][:count]
    alone = np.concatenate([pictures(tiny, [job(seed)]) for seed in seeds])
    together = pictures(tiny, [job(seed) for seed in seeds])
    assert np.abs(alone - together).max() <= 1


@pytest.mark.parametrize("picture_format", list(PictureFormat))
@pytest.mark.parametrize("size", [32, 20])
def test_a_picture_leaves_as_the_job_wants_it(tiny: LoadedGenerator, picture_format: PictureFormat, size: int) -> None:
    wanted = job(3, size=size, picture_format=picture_format)
    encoded = TASKS["generate"].finish(wanted, pictures(tiny, [wanted])[0].astype(np.uint8))
    assert Image.open(io.BytesIO(encoded.body)).size == (size, size)
    assert encoded.media_type == picture_format.media_type


def labels_as_ws(folder: Path) -> Path:
    """A mapping graph with labels that gives back its labels: ws = c, repeated for 2 layers."""
    inputs = [
        helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 32]),
        helper.make_tensor_value_info("psi", TensorProto.FLOAT, ["batch", 2]),
        helper.make_tensor_value_info("c", TensorProto.FLOAT, ["batch", 3]),
    ]
    nodes = [
        helper.make_node("Unsqueeze", ["psi", "two"], ["layers"]),
        helper.make_node("Unsqueeze", ["c", "one"], ["label"]),
        helper.make_node("Mul", ["layers", "label"], ["ws"]),
    ]
    constants = [helper.make_tensor(name, TensorProto.INT64, [1], [axis]) for name, axis in (("one", 1), ("two", 2))]
    outputs = [helper.make_tensor_value_info("ws", TensorProto.FLOAT, ["batch", 2, 3])]
    graph = helper.make_graph(nodes, "labels", inputs, outputs, initializer=constants)
    path = folder / "mapping.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def test_a_job_names_its_class_or_its_seed_draws_one(tiny: LoadedGenerator, tmp_path: Path) -> None:
    manifest = tiny.manifest.model_copy(update={"c_dim": 3, "num_ws": 2, "w_dim": 3})
    model = LoadedGenerator(manifest, (OnnxEngine(labels_as_ws(tmp_path), "cpu"), tiny.synthesis))
    inputs = TASKS["generate"].prepare([job(seed, psi=1.0) for seed in (0, 1, 2, 3, 2**64 - 1)], model)
    classes = model.mapping.run(inputs)["ws"][:, 0].argmax(axis=1)
    assert classes.tolist() == [0, 1, 2, 0, (2**64 - 1) % 3]
    named = [replace(job(seed, psi=1.0), label=label) for seed, label in ((0, 2), (1, None), (2, 0))]
    assert model.mapping.run(TASKS["generate"].prepare(named, model))["ws"][:, 0].argmax(axis=1).tolist() == [2, 1, 0]
