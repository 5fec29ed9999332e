"""The gradient graph of StyleGAN3, whose filters are no other family's: what it computes is what autograd does."""

from pathlib import Path

import pytest
import torch

from models.engines.opening import open_engine
from models.export.gradient_graph import face_loss, write_gradient
from tests.tiny_networks import tiny_network


def test_the_graphs_gradient_is_that_of_autograd(tmp_path: Path) -> None:
    # The fewest layers that the family can have: drawing the graph takes a second for each.
    network, _, _ = tiny_network("stylegan3-t", num_layers=3)
    network = network.eval().requires_grad_(False)
    random = torch.Generator().manual_seed(3)
    ws = torch.randn(1, network.num_ws, network.w_dim, generator=random)
    side = network.img_resolution
    face = torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8, generator=random)
    shown = ws.clone().requires_grad_(True)
    loss = face_loss(network.synthesis(shown, noise_mode="const"), face.permute(0, 3, 1, 2).float() / 127.5 - 1, None)
    loss.backward()
    write_gradient(network, None, tmp_path / "gradient.onnx")
    engine = open_engine(tmp_path / "gradient.onnx", "cpu", 1, batch_sizes=(1,))
    found = engine.run({"ws": ws.numpy(), "picture": face.numpy()})
    engine.close()
    assert shown.grad is not None
    largest = float(shown.grad.abs().max())
    assert largest > 0
    torch.testing.assert_close(torch.from_numpy(found["gradient"]), shown.grad, atol=1e-4 * largest, rtol=1e-3)
    assert found["loss"].item() == pytest.approx(loss.item(), rel=1e-4)
    # It leads downhill: what autograd is asked for.
    with torch.no_grad():
        lower = ws - 0.02 * torch.from_numpy(found["gradient"]) / largest
        drawn = network.synthesis(lower, noise_mode="const")
        assert face_loss(drawn, face.permute(0, 3, 1, 2).float() / 127.5 - 1, None) < loss
