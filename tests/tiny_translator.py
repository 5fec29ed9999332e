"""A real translator for tests: a randomly initialised CycleGAN ResNet of four filters, exported as any other."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.manifest import MANIFEST_FILE, GraphSpec, TranslatorManifest

BLOTS = "blots"
KWARGS: dict[str, Any] = {"ngf": 4, "n_blocks": 2}


@pytest.fixture(scope="session")
def translator_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the translator `blots` and nothing else, with its pictures before and after."""
    import torch
    from PIL import Image

    from models.export.export_model import ModelFacts, export_model
    from models.networks.translator import ResnetTranslator

    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = ResnetTranslator(**KWARGS)
    store = tmp_path_factory.mktemp("translators")
    facts = ModelFacts(name=BLOTS, licence="CC0-1.0", origin="random weights, for tests", title="Blots")
    export_model(network, "cyclegan", facts, store / BLOTS, kwargs=KWARGS, keep_weights=False)
    for name, colour in (("before", "navy"), ("after", "gold")):
        Image.new("RGB", (64, 48), colour).save(store / BLOTS / f"{name}.jpg")
    return store


@pytest.fixture(scope="session")
def restorers_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of graphs that give a tinted negative: `blots`, and `colourise`, `upscale`, `inpaint` for the tasks."""
    store = tmp_path_factory.mktemp("restorers")
    for name in (BLOTS, "colourise", "upscale", "inpaint"):
        write_negative(store / name, None if name == BLOTS else name)
    return store


def write_negative(folder: Path, task: str | None) -> None:
    """A model folder whose graph is written by hand, so that it is there at once; a mask changes nothing in it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    channels = 4 if task == "inpaint" else 3
    bright = np.float32([215, 155, 115])
    constants = {"first": np.array([0]), "end": np.array([3]), "axis": np.array([3]), "bright": bright}
    nodes = [
        helper.make_node("Slice", ["picture", "first", "end", "axis"], ["colours"]),
        helper.make_node("Cast", ["colours"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["bright", "levels"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["negative"]),
        helper.make_node("Cast", ["negative"], ["translation"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        # Models are told apart by what their graphs hold.
        folder.name,
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["N", "H", "W", channels])],
        [helper.make_tensor_value_info("translation", TensorProto.UINT8, ["N", "H", "W", 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    content = onnx.ModelProto.SerializeToString(helper.make_model(graph, opset_imports=opset, ir_version=10))
    folder.mkdir()
    (folder / "translation.onnx").write_bytes(content)
    spec = GraphSpec(file="translation.onnx", sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    manifest = TranslatorManifest(
        name=folder.name,
        family="cyclegan",
        graphs={"translation": spec},
        licence="CC0-1.0",
        origin="written by hand, for tests",
        title=folder.name,
        input_nc=channels,
        output_nc=3,
        ngf=1,
        size_multiple=4,
        task=task,
        scale=4 if task == "upscale" else 1,
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
