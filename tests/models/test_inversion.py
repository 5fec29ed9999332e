"""From a picture back to its latent: a real generator, its real gradient graph, an encoder that knows nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from models.abilities import STEPS, Method, Space
from models.catalogue import find_models
from models.engines.engine import Engine
from models.engines.opening import open_engine
from models.errors import ModelCannot, ModelRefused
from models.export.finding_graphs import write_encoder
from models.export.gradient_graph import SMALLEST, face_loss, gradient_of
from models.export.rebuild import rebuild
from models.inversion import Inverter, picture_error
from models.manifest import GeneratorManifest
from models.networks.encoder import EncoderNetwork
from tests.tiny_model import TINY


@dataclass(frozen=True)
class Opened:
    manifest: GeneratorManifest
    mapping: Engine
    synthesis: Engine


@dataclass(frozen=True)
class Bench:
    generator: Opened
    encoder: Engine
    gradient: Engine

    def inverter(self, *, encoder: bool = True, gradient: bool = True) -> Inverter:
        return Inverter(self.generator, self.encoder if encoder else None, self.gradient if gradient else None)

    def face(self, seed: int = 5) -> np.ndarray:
        """A picture of the generator's own."""
        z = np.random.RandomState(seed).randn(1, 32).astype(np.float32)
        ws = self.generator.mapping.run({"z": z, "psi": np.full([1, 8], 0.7, np.float32)})["ws"]
        return self.inverter().draw(ws[0])


def nothing(_: float) -> None:
    pass


@pytest.fixture(scope="module")
def bench(invertible_store: Path) -> Iterator[Bench]:
    entry = find_models(invertible_store, bundled=invertible_store / "none").named(TINY)
    inverters = {name: entry.folder / graph.file for name, graph in entry.generator.inverters.items()}
    paths = (entry.graph_path("mapping"), entry.graph_path("synthesis"), inverters["encoder"])
    mapping, synthesis, encoding = (open_engine(path, "cpu", 1) for path in paths)
    gradient = open_engine(inverters["gradient"], "cpu", 1, batch_sizes=(1,))
    yield Bench(Opened(entry.generator, mapping, synthesis), encoding, gradient)
    for engine in (mapping, synthesis, encoding, gradient):
        engine.close()


def test_the_graphs_gradient_is_pytorchs(bench: Bench, tiny_store: Path) -> None:
    network = rebuild(find_models(tiny_store, bundled=tiny_store / "none").named(TINY)).eval().requires_grad_(False)
    ws = torch.randn(1, 8, 32, generator=torch.Generator().manual_seed(3))
    face = torch.from_numpy(bench.face()[None])
    shown = ws.clone().requires_grad_(True)
    drawn = network.synthesis(shown, noise_mode="const")
    face_loss(drawn, face.permute(0, 3, 1, 2) / 127.5 - 1, None).backward()
    found, loss = gradient_of(network, None)(ws, face)
    torch.testing.assert_close(found, shown.grad)
    assert loss.shape == (1,)


def test_a_descent_comes_closer_and_says_how_far_it_is(bench: Bench) -> None:
    face, shares = bench.face(), []
    start = bench.inverter().find(face, Method.DESCENT, steps=1, step=nothing)
    end = bench.inverter().find(face, Method.DESCENT, steps=120, step=shares.append)
    assert end.error < 0.4 * start.error
    assert end.error == pytest.approx(picture_error(bench.inverter().draw(end.ws), face))
    assert shares == sorted(shares)
    assert len(shares) == 1 + 120
    assert shares[-1] < 1


def test_in_w_all_layers_share_one_w(bench: Bench) -> None:
    face = bench.face()
    one = bench.inverter().find(face, Method.DESCENT, Space.W, steps=30, step=nothing)
    own = bench.inverter().find(face, Method.DESCENT, Space.W_PLUS, steps=30, step=nothing)
    assert np.ptp(one.ws, axis=0).max() < 1e-5
    assert np.ptp(own.ws, axis=0).max() > 1e-2


def test_a_hybrid_goes_on_from_the_encoders_guess(bench: Bench) -> None:
    face = bench.face()
    guess = bench.inverter(gradient=False).find(face, Method.ENCODER, step=nothing)
    hybrid = bench.inverter().find(face, Method.HYBRID, step=nothing)
    np.testing.assert_array_equal(guess.ws, bench.encoder.run({"picture": face[None]})["ws"][0])
    assert hybrid.error < 0.5 * guess.error
    # Held to its start: no w is further from it than its steps could have gone.
    assert np.abs(hybrid.ws - guess.ws).max() < STEPS[Method.HYBRID]


def test_the_same_face_gives_the_same_latent(bench: Bench) -> None:
    face = bench.face()
    one, other = (bench.inverter().find(face, Method.HYBRID, steps=5, step=nothing) for _ in range(2))
    np.testing.assert_array_equal(one.ws, other.ws)


def test_what_a_model_lacks_is_named(bench: Bench) -> None:
    face = bench.face()
    with pytest.raises(ModelCannot, match="encoder graph"):
        bench.inverter(encoder=False).find(face, Method.HYBRID, step=nothing)
    with pytest.raises(ModelCannot, match="gradient graph"):
        bench.inverter(gradient=False).find(face, Method.DESCENT, step=nothing)
    bench.inverter(encoder=False).check(Method.DESCENT)
    bench.inverter(gradient=False).check(Method.ENCODER)


def test_a_picture_too_small_for_any_size_has_no_loss() -> None:
    assert SMALLEST == 8
    tiny = torch.zeros(1, 3, 4, 4)
    assert face_loss(tiny, tiny + 1, None).item() == 0


def test_a_graph_that_is_off_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.export.finding_graphs.MOST_DIFFERENCE", -1.0)
    with pytest.raises(ModelRefused, match="not written"):
        write_encoder(EncoderNetwork(8, 2, 4, width=4, widest=4, hidden=4), tmp_path / "encoder.onnx")
    assert not (tmp_path / "encoder.onnx").exists()
