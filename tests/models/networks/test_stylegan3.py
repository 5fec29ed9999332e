"""StyleGAN3 against its definition, its symmetries and its exported graph (its vectors: test_published_vectors.py)."""
# N batch, D width of w, C channel, H W picture

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.filtered_leaky import filtered_leaky, shifted_rows
from models.networks.lowpass import lowpass_filter
from models.networks.short_convolution import conv3x3
from models.networks.stylegan3 import Generator, kwargs_from_tensors
from models.networks.stylegan3_layer import SynthesisLayer
from models.networks.stylegan3_schedule import Signal
from models.transforms import make_transform
from tests.models.networks.plain_stylegan3 import plain_filtered_leaky, plain_layer
from tests.models.networks.test_free_batch import exported

T: dict[str, Any] = {"channel_base": 256, "channel_max": 12}
R: dict[str, Any] = {**T, "conv_kernel": 1, "use_radial_filters": True}
KINDS = pytest.mark.parametrize("kind", [T, R], ids=["T", "R"])
PARITY = 2e-4


def small(c_dim: int = 0, img_resolution: int = 32, img_channels: int = 3, **synthesis: Any) -> Generator:
    """Random weights, and biases, magnitudes, placements and a mean that show."""
    torch.manual_seed(0)
    generator = Generator(16, c_dim, 12, img_resolution, img_channels, **synthesis).eval().requires_grad_(False)
    for name, tensor in generator.state_dict().items():
        if name.endswith("magnitude_ema"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("bias", "w_avg")) or name == "synthesis.input.affine.weight":
            tensor.add_(0.1 * torch.randn_like(tensor))
    return generator


FACTORS = [(2, 2), (4, 2), (2, 1), (1, 2), (1, 1), (2, 4)]


@pytest.mark.parametrize("radial", [False, True], ids=["separable", "radial"])
@pytest.mark.parametrize(("up", "down"), FACTORS)
@pytest.mark.parametrize("pad_before", [9, -5])
@pytest.mark.parametrize("size", [36, 37, 70])
def test_polyphase_equals_zeros_written_out(up: int, down: int, pad_before: int, size: int, radial: bool) -> None:
    torch.manual_seed(size)
    # No symmetry, so that a flip shows.
    up_filter = None if up == 1 else torch.rand(6 * up)
    down_filter = None if down == 1 else torch.rand(6 * down, 6 * down) if radial else torch.rand(6 * down)
    arguments = {"up": up, "down": down, "pad_before": pad_before, "size": size, "clamp": 40.0}
    x = 10 * torch.randn(2, 3, 40, 40)
    found = filtered_leaky(x, up_filter, down_filter, **arguments)
    expected = plain_filtered_leaky(x, up_filter, down_filter, **arguments)
    assert found.shape == (2, 3, size, size)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_shifted_rows() -> None:
    found = shifted_rows(torch.tensor([1.0, 2, 3]), 2, -1, (3, 5))
    assert found.tolist() == [[2, 3, 0, 0, 0], [0, 1, 2, 3, 0], [0, 0, 0, 1, 2]]


@pytest.mark.parametrize("height", [5, 6, 8, 19])
def test_a_short_convolution_equals_the_direct_one(height: int) -> None:
    torch.manual_seed(height)
    x, weight = torch.randn(2, 7, height, 9), torch.randn(5, 7, 3, 3)
    torch.testing.assert_close(conv3x3(x, weight), F.conv2d(x, weight, padding=2), atol=2e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_short_convolution_rounds_little_more_than_the_direct_one(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(1, 64, 32, 32), torch.randn(64, 64, 3, 3)
    exact = F.conv2d(x, weight, padding=2)
    short = (conv3x3(x.to(dtype), weight.to(dtype)).float() - exact).std()
    direct = (F.conv2d(x.to(dtype), weight.to(dtype), padding=2).float() - exact).std()
    assert short < 5 * direct


SOURCE, WIDER = Signal(20, 6, 16, 4, 4), Signal(36, 5, 32, 7, 7)


@pytest.mark.parametrize("is_torgb", [False, True])
@pytest.mark.parametrize("conv_kernel", [1, 3])
def test_constant_weights_equal_weights_per_sample(is_torgb: bool, conv_kernel: int) -> None:
    layer = new_layer(is_torgb=is_torgb, conv_kernel=conv_kernel)
    x, w = torch.randn(3, 6, 20, 20), torch.randn(3, 8)
    torch.testing.assert_close(layer(x, w), plain_layer(layer, x, w), atol=1e-5, rtol=1e-5)


def new_layer(is_torgb: bool = False, **changes: Any) -> SynthesisLayer:
    kwargs: dict[str, Any] = {
        "is_torgb": is_torgb,
        "is_critically_sampled": False,
        "conv_kernel": 3,
        "filter_size": 6,
        "lrelu_upsampling": 2,
        "use_radial_filters": False,
        "conv_clamp": 256,
        "magnitude_ema_beta": 0.5,
    }
    torch.manual_seed(0)
    target = Signal(20, 3, 16, 4, 4) if is_torgb else WIDER
    layer = SynthesisLayer(8, SOURCE, target, **{**kwargs, **changes}).eval().requires_grad_(False)
    layer.bias.copy_(torch.randn_like(layer.bias))
    layer.magnitude_ema.fill_(0.7)
    return layer


def test_a_picture_does_not_depend_on_its_company() -> None:
    generator, z = small(**T), torch.randn(3, 16)
    torch.testing.assert_close(generator(z)[1:2], generator(z[1:2]), atol=1e-5, rtol=1e-5)


def test_the_clamp_bites() -> None:
    free, tight = small(**T, conv_clamp=None), small(**T, conv_clamp=0.5)
    z = torch.randn(1, 16)
    assert (free(z) - tight(z)).abs().max() > 0.01
    torch.testing.assert_close(free(z), small(**T)(z), atol=0, rtol=0)


def test_a_rotated_r_network_draws_the_rotated_picture() -> None:
    generator = small(**R)
    ws = generator.mapping(torch.randn(2, 16))
    upright, turned = generator.synthesis(ws), generator.synthesis(ws, transform(0, 0, 90))
    assert (turned - upright.rot90(1, (2, 3))).abs().max() <= 1e-4, "counterclockwise"
    assert (turned - upright.rot90(-1, (2, 3))).abs().max() > 0.05


@KINDS
def test_a_translated_network_moves_the_picture(kind: dict[str, Any]) -> None:
    generator = small(**kind)
    ws = generator.mapping(torch.randn(2, 16))
    still = generator.synthesis(ws)
    right, down = generator.synthesis(ws, transform(0.25, 0, 0)), generator.synthesis(ws, transform(0, 0.25, 0))
    spread = still.std()
    assert (right[..., 8:] - still[..., :-8]).std() < 0.03 * spread
    assert (right[..., :-8] - still[..., 8:]).std() > 0.3 * spread
    assert (down[..., 8:, :] - still[..., :-8, :]).std() < 0.03 * spread


def test_first_rotated_then_translated() -> None:
    generator = small(**R)
    ws = generator.mapping(torch.randn(1, 16))
    turned, both = generator.synthesis(ws, transform(0, 0, 90)), generator.synthesis(ws, transform(0.25, 0, 90))
    assert (both[..., 8:] - turned[..., :-8]).std() < 0.03 * turned.std()


def transform(*arguments: float) -> Tensor:
    return torch.from_numpy(make_transform(*arguments))


def test_transforms() -> None:
    assert make_transform().dtype == np.float32
    np.testing.assert_array_equal(make_transform(), np.eye(3))
    # The inverse: where a place of the new picture comes from.
    np.testing.assert_allclose(make_transform(0.1, -0.2) @ [0.1, -0.2, 1], [0, 0, 1], atol=1e-7)
    np.testing.assert_allclose(make_transform(0, 0, 90) @ [0, -0.5, 1], [0.5, 0, 1], atol=1e-7)


def test_the_stored_transform_is_the_default() -> None:
    generator, given = small(**T), transform(0.1, 0, 20)
    ws = generator.mapping(torch.randn(2, 16))
    expected = generator.synthesis(ws, given)
    generator.synthesis.input.transform.copy_(given)
    torch.testing.assert_close(generator.synthesis(ws), expected, atol=0, rtol=0)
    torch.testing.assert_close(generator.synthesis(ws, given.expand(2, 3, 3)), expected, atol=1e-5, rtol=0)


class TransformedSynthesis(nn.Module):
    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.synthesis = generator.synthesis

    def forward(self, ws_NLD: Tensor, transform_N33: Tensor) -> Tensor:
        picture: Tensor = self.synthesis(ws_NLD, transform_N33)
        return picture


@KINDS
def test_onnxruntime_draws_what_torch_draws(kind: dict[str, Any], tmp_path: Path) -> None:
    generator = small(num_layers=4, **kind)
    module = TransformedSynthesis(generator)
    session = exported(module, graph_inputs(generator, 2), tmp_path / "synthesis.onnx")
    for batch in (1, 3):
        inputs = graph_inputs(generator, batch)
        feed = {value.name: tensor.numpy() for value, tensor in zip(session.get_inputs(), inputs, strict=True)}
        (picture,) = session.run(None, feed)
        expected = module(*inputs)
        assert expected.std() > 0.05, "a blank picture would agree with anything"
        assert (torch.from_numpy(picture) - expected).abs().max() <= PARITY


def graph_inputs(generator: Generator, batch: int) -> tuple[Tensor, Tensor]:
    ws = generator.mapping(torch.randn(batch, 16)).contiguous()
    return ws, torch.stack([transform(0.1 * i, -0.05 * i, 30.0 * i) for i in range(batch)])


ODD: dict[str, Any] = {"channel_base": 300, "channel_max": 17, "num_layers": 9, "margin_size": 8, "filter_size": 4}


@pytest.mark.parametrize(
    ("c_dim", "channels", "synthesis"), [(0, 3, T), (5, 1, R), (0, 4, ODD)], ids=["T", "R with labels", "odd sizes"]
)
def test_tensors_tell_the_arguments(c_dim: int, channels: int, synthesis: dict[str, Any]) -> None:
    generator = small(c_dim, img_channels=channels, mapping_kwargs={"num_layers": 3}, **synthesis)
    again = Generator(**kwargs_from_tensors(generator.state_dict())).eval()
    again.load_state_dict(generator.state_dict())
    z, c = torch.randn(2, 16), torch.eye(5)[:2] if c_dim else None
    torch.testing.assert_close(again(z, c), generator(z, c), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"synthesis.L3_36_12.weight": None}, "no row of layers"),
        ({"synthesis.input.freqs": None}, "synthesis.input.freqs is missing"),
        ({"extra": torch.zeros(1)}, "extra is left over"),
        ({"mapping.w_avg": torch.zeros(1, 12)}, "mapping.w_avg has the shape"),
        ({"synthesis.L0_36_12.down_filter": torch.zeros(8)}, "down_filter has the shape"),
    ],
)
def test_tensors_of_something_else_are_refused(change: dict[str, Tensor | None], message: str) -> None:
    tensors = {**small(**T).state_dict(), **change}
    with pytest.raises(ValueError, match=message):
        kwargs_from_tensors({name: tensor for name, tensor in tensors.items() if tensor is not None})


def test_labels_truncation_and_flat_or_nested_arguments() -> None:
    nested, flat = small(2, synthesis_kwargs={**T, "num_fp16_res": 4}), small(2, **T)
    z, (first, second) = torch.randn(1, 16), torch.eye(2).split(1)
    torch.testing.assert_close(nested(z, first), flat(z, first), atol=0, rtol=0)
    assert (flat(z, first) - flat(z, second)).abs().max() > 1e-3
    mean = flat.synthesis(flat.w_avg.expand(1, flat.num_ws, -1))
    torch.testing.assert_close(flat(z, first, truncation_psi=0), mean, atol=1e-5, rtol=0)


def test_training_moves_the_means() -> None:
    generator = small(**T, magnitude_ema_beta=0.9)
    layer = generator.synthesis.L0_36_12
    before, seen = layer.magnitude_ema.clone(), []
    layer.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    generator(torch.randn(2, 16), update_emas=True)
    torch.testing.assert_close(layer.magnitude_ema, 0.9 * before + 0.1 * seen[0].square().mean())


@KINDS
def test_every_parameter_learns(kind: dict[str, Any]) -> None:
    generator = small(img_resolution=16, num_layers=6, **kind).requires_grad_(True)
    generator(torch.randn(2, 16)).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in generator.named_parameters()}
    assert [name for name, gradient in gradients.items() if gradient is None or not gradient.abs().max() > 0] == []


@pytest.mark.parametrize("resolution", [0, 2, 48])
def test_a_resolution_must_be_a_power_of_two(resolution: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        small(img_resolution=resolution)


@pytest.mark.parametrize("radial", [False, True])
def test_a_lowpass_filter_passes_low_frequencies_only(radial: bool) -> None:
    filter_ = lowpass_filter(24, cutoff=8, width=8, rate=64, radial=radial)
    assert filter_ is not None
    line = filter_.sum(dim=0) if radial else filter_
    response = torch.fft.rfft(line, 256).abs()  # bin b is b / 4 cycles per unit
    assert response[0] == pytest.approx(1, abs=1e-5)
    assert response[:12].min() > 0.9
    assert response[60:].max() < 0.01
    assert lowpass_filter(1, 8, 8, 64, radial=radial) is None
    assert lowpass_filter(7, 8, 8, 64, radial=radial).isfinite().all()
