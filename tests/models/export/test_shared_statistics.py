"""A translator's graph can be told the statistics of its norms; left alone it is as ever."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models.engines.onnx_engine import OnnxEngine
from models.export.graphs import TranslationGraph
from models.export.onnx_graph import draw_graph, save_graph, stored_tensors
from models.networks.translator import ResnetTranslator
from models.networks.unet import UnetTranslator

SMALL = {"ngf": 4, "n_blocks": 1}
CHANNELS = 4 + 8 + 16 + 16 + 16 + 8 + 4


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnnxEngine]:
    path = tmp_path_factory.mktemp("graph") / "translation.onnx"
    with torch.random.fork_rng():
        torch.manual_seed(1)
        save_graph(draw_graph(TranslationGraph(ResnetTranslator(**SMALL))), path)
    engine = OnnxEngine(path, "cpu", threads=1, batch_sizes=(1, 2))
    yield engine
    engine.close()


def pictures(count: int, side: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (count, side // 8, side // 8, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def test_statistics_are_those_of_the_layers(engine: OnnxEngine) -> None:
    two = pictures(2, 32)
    seen = engine.run({"picture": two})["statistics_seen"]
    assert seen.shape == (2, CHANNELS, 2)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = ResnetTranslator(**SMALL).eval()
    first = network.model[:2](torch.from_numpy(two).permute(0, 3, 1, 2).float() / 127.5 - 1)
    expected = torch.stack([first.mean((2, 3)), first.var((2, 3), unbiased=False)], 2).detach().numpy()
    np.testing.assert_allclose(seen[:, :4], expected, rtol=1e-2, atol=1e-3)


def test_its_own_statistics_change_nothing(engine: OnnxEngine) -> None:
    alone = engine.run({"picture": pictures(1, 32)})
    told = {"statistics": alone["statistics_seen"], "given": np.ones(1, np.float32)}
    np.testing.assert_array_equal(engine.run({"picture": pictures(1, 32), **told})["translation"], alone["translation"])
    not_told = {"statistics": np.full_like(alone["statistics_seen"], 7), "given": np.zeros(1, np.float32)}
    np.testing.assert_array_equal(
        engine.run({"picture": pictures(1, 32), **not_told})["translation"], alone["translation"]
    )


def test_a_tile_with_the_statistics_of_the_whole_is_as_in_the_whole(engine: OnnxEngine) -> None:
    whole = pictures(1, 256)
    seen = engine.run({"picture": whole})
    tile = np.ascontiguousarray(whole[:, 64:192, 64:192])
    told = {"statistics": seen["statistics_seen"], "given": np.ones(1, np.float32)}
    inner, expected = slice(32, 96), seen["translation"][0, 96:160, 96:160].astype(int)
    by_itself = engine.run({"picture": tile})["translation"][0, inner, inner]
    with_the_whole = engine.run({"picture": tile, **told})["translation"][0, inner, inner]
    assert np.abs(with_the_whole - expected).max() <= 1
    assert np.abs(by_itself - expected).max() > 8, "without them it is another picture"


def test_each_picture_of_a_batch_has_its_own(engine: OnnxEngine) -> None:
    two = pictures(2, 32)
    seen = engine.run({"picture": two})
    told = {"statistics": seen["statistics_seen"][::-1].copy(), "given": np.array([1, 0], np.float32)}
    mixed = engine.run({"picture": two, **told})["translation"]
    assert np.abs(mixed[0].astype(int) - seen["translation"][0]).max() > 8
    np.testing.assert_array_equal(mixed[1], seen["translation"][1])


@pytest.mark.parametrize(("evaluation", "shared"), [("batch", True), ("running", False)])
def test_a_unet_by_its_pictures_own_statistics_has_them_too(tmp_path: Path, evaluation: str, shared: bool) -> None:
    path = tmp_path / "translation.onnx"
    network = UnetTranslator(ngf=2, num_downs=5, evaluation=evaluation)
    save_graph(draw_graph(TranslationGraph(network)), path)
    names = {value.name for value in onnx.load(path).graph.output}
    assert ("statistics_seen" in names) == shared
    assert stored_tensors(path).keys() <= network.state_dict().keys(), "defaults of inputs are no weights"
