import shutil
from pathlib import Path

import numpy as np
import pytest

from jobs.contract import Lane
from models.catalogue import Catalogue, ModelEntry
from models.engines.errors import EngineRefused
from models.errors import ModelNotFound
from models.manifest import GraphSpec
from worker.config import WorkerConfig
from worker.errors import ModelNotLoaded, NothingToServe
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels


def config(**fields: object) -> WorkerConfig:
    return WorkerConfig(worker_id="test", **fields)  # type: ignore[arg-type]


def test_an_opened_model_is_warm_and_runs(tiny_catalogue: Catalogue, tiny_digest: str) -> None:
    models = LoadedModels(tiny_catalogue, config(device="cpu", threads=1))
    assert models.warm() == ()
    assert models.device == "cpu"
    models.open()
    assert models.warm() == models.digests() == (tiny_digest,)
    with models.held(tiny_digest) as model:
        assert isinstance(model, LoadedGenerator)
        manifest = model.manifest
        psi = np.ones([2, manifest.num_ws], np.float32)
        ws = model.mapping.run({"z": np.ones([2, manifest.z_dim], np.float32), "psi": psi})["ws"]
    assert ws.shape == (2, manifest.num_ws, manifest.w_dim)
    models.close()
    assert models.warm() == ()


def test_a_model_that_is_not_there_is_refused_by_its_digest(tiny_catalogue: Catalogue) -> None:
    models = LoadedModels(tiny_catalogue, config())
    models.open()
    assert models.at_hand("0123456789abcdef"), "there is nothing to wait for"
    with pytest.raises(ModelNotLoaded, match="digest 0123456789abcdef"), models.held("0123456789abcdef"):
        pass


@pytest.mark.parametrize(("asked", "device"), [("auto", "cpu"), ("openvino:f32", "openvino:f32")])
def test_on_the_cpu_faces_made_ahead_run_singly(
    tiny_catalogue: Catalogue, tiny_digest: str, asked: str, device: str
) -> None:
    models = LoadedModels(tiny_catalogue, config(device=asked))
    models.open()
    assert models.device == device
    assert models.most_at_once == 8
    assert [models.batch_limit(tiny_digest, lane) for lane in (Lane.QUICK, Lane.SLOW, Lane.IDLE)] == [8, 8, 1]


def test_only_the_models_asked_for_are_opened(tiny_catalogue: Catalogue) -> None:
    with pytest.raises(ModelNotFound, match="'monet'"):
        LoadedModels(tiny_catalogue, config(models=("monet",))).open()


def test_a_device_that_is_not_to_be_had_stops_the_worker(tiny_catalogue: Catalogue) -> None:
    with pytest.raises(EngineRefused, match=r"personne\[gpu\]"):
        LoadedModels(tiny_catalogue, config(device="cuda")).open()


def test_an_empty_catalogue_is_said_to_be_empty() -> None:
    with pytest.raises(NothingToServe, match="The catalogue is empty"):
        LoadedModels(Catalogue({}), config()).open()


def test_a_graph_that_does_not_open_stops_no_other_model(
    tiny_catalogue: Catalogue, tiny_digest: str, tmp_path: Path
) -> None:
    good = tiny_catalogue.named("tiny")
    shutil.copytree(good.folder, tmp_path / "broken")
    (tmp_path / "broken" / good.manifest.graphs["synthesis"].file).write_bytes(b"no graph")
    graphs = {**good.manifest.graphs, "synthesis": GraphSpec(file="synthesis.onnx", sha256="0" * 64, bytes=8)}
    manifest = good.manifest.model_copy(update={"name": "broken", "graphs": graphs})
    broken = ModelEntry(manifest, tmp_path / "broken", "store")
    models = LoadedModels(Catalogue({"broken": broken, "tiny": good}), config())
    models.open()
    assert models.warm() == (tiny_digest,)
    with pytest.raises(NothingToServe, match=r"broken: .*failed"):
        LoadedModels(Catalogue({"broken": broken}), config()).open()
