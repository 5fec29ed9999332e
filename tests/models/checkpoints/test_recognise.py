"""Every published layout is told by its tensors; what cannot be served is named, what is unknown is described."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.recognise import KINDS, LAYOUTS, PAPER, Request, recognise
from models.networks.architectures import build
from models.networks.patchgan import PatchDiscriminator, PixelDiscriminator
from models.networks.stylegan2_discriminator import Discriminator
from models.networks.translator import ResnetTranslator
from models.networks.unet import UnetTranslator

VECTORS = Path(__file__).parents[3].parent / "shared" / "vectors"
CASES = {
    "stylegan1_32": "stylegan1",
    "pggan_32": "pggan",
    "stylegan2_32": "stylegan2",
    "stylegan2_conditional_16": "stylegan2",
    "stylegan2_rosinality_32": "stylegan2",
    "stylegan3_t_32": "stylegan3",
    "stylegan3_r_32": "stylegan3",
    "cyclegan_resnet_9blocks": "cyclegan",
    "pix2pix_unet_128": "pix2pix",
}


def weights(case: str) -> dict[str, Tensor]:
    if not (VECTORS / case).is_dir():
        pytest.skip("the reference vectors of ../shared are not here")
    return load_file(VECTORS / case / "weights.safetensors")


def resnet(**kwargs: Any) -> dict[str, Tensor]:
    return ResnetTranslator(**{"ngf": 4, "n_blocks": 2, **kwargs}).state_dict()


def unet(**kwargs: Any) -> dict[str, Tensor]:
    return UnetTranslator(**{"ngf": 4, "num_downs": 5, **kwargs}).state_dict()


def as_built(checkpoint: Checkpoint) -> torch.nn.Module:
    json.dumps(checkpoint.kwargs)
    return build(checkpoint.family, checkpoint.kwargs, checkpoint.tensors)


@pytest.mark.parametrize(("case", "family"), CASES.items())
def test_vectors_are_recognised_and_load_strictly(case: str, family: str) -> None:
    checkpoint = recognise(weights(case), Request())
    assert checkpoint.family == family
    as_built(checkpoint)


@pytest.mark.parametrize("key", ["generator_smooth", "generator"])
def test_genforce_containers(key: str) -> None:
    other = {"layer0.conv.weight": torch.zeros(2), "input0.conv.weight": torch.zeros(2)}
    checkpoint = recognise({"discriminator": other, key: weights("pggan_32")}, Request())
    assert checkpoint.family == "pggan"


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.module."])
def test_wrappers_leave_no_trace(prefix: str) -> None:
    tensors = resnet()
    checkpoint = recognise({f"{prefix}{name}": tensor for name, tensor in tensors.items()}, Request())
    assert checkpoint.tensors.keys() == tensors.keys()


def test_a_name_with_and_without_wrapper() -> None:
    tensors = resnet()
    with pytest.raises(CheckpointRefused, match=r"'model\.1\.weight' twice"):
        recognise({**tensors, "module.model.1.weight": tensors["model.1.weight"]}, Request())


@pytest.mark.parametrize(
    "kwargs",
    [
        {"n_blocks": 6},
        {"n_blocks": 9, "use_dropout": True},
        {"norm": "batch"},
        {"norm": "batch", "use_dropout": True},
        {"norm": "none"},
        {"input_nc": 1, "output_nc": 4, "ngf": 6, "n_blocks": 1},
    ],
    ids=str,
)
def test_resnets_of_any_shape(kwargs: dict[str, Any]) -> None:
    checkpoint = recognise(resnet(**kwargs), Request())
    assert kwargs.items() <= checkpoint.kwargs.items()
    as_built(checkpoint)


@pytest.mark.parametrize("kwargs", [{"num_downs": 7}, {"norm": "instance"}, {"norm": "none"}, {"input_nc": 1}], ids=str)
def test_unets_of_any_shape(kwargs: dict[str, Any]) -> None:
    checkpoint = recognise(unet(**kwargs), Request())
    assert kwargs.items() <= checkpoint.kwargs.items()
    as_built(checkpoint)


def test_statistics_of_old_instance_norms_are_dropped() -> None:
    tensors = resnet()
    old = {**tensors, "model.2.running_mean": torch.ones(4), "model.2.running_var": torch.ones(4)}
    old |= {"model.10.conv_block.2.running_mean": torch.ones(16), "model.2.num_batches_tracked": torch.tensor(7)}
    assert recognise(old, Request()).tensors.keys() == tensors.keys()


def test_batch_norms_of_before_batches_were_counted() -> None:
    tensors = unet()
    old = {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    assert len(old) < len(tensors)
    as_built(recognise(old, Request()))


def test_batch_norm_in_two_ways() -> None:
    running, paper = (recognise(unet(), Request(kind=kind)) for kind in (None, PAPER))
    assert (running.kwargs["evaluation"], paper.kwargs["evaluation"]) == ("running", "batch")
    assert any("--kind pix2pix-paper" in note for note in running.notes)
    assert recognise(resnet(norm="batch"), Request(kind=PAPER)).kwargs["evaluation"] == "batch"
    assert "evaluation" not in recognise(resnet(), Request()).kwargs


def test_two_generators_with_equal_claims() -> None:
    both = {"G_A2B": resnet(), "G_B2A": resnet(n_blocks=3)}
    with pytest.raises(CheckpointRefused, match="several generators: 'G_A2B', 'G_B2A'; choose one with --part"):
        recognise(both, Request())
    assert recognise(both, Request(part="G_B2A")).kwargs["n_blocks"] == 3
    with pytest.raises(CheckpointRefused, match="no part 'G_C'"):
        recognise(both, Request(part="G_C"))


def test_the_kind_must_be_what_is_there() -> None:
    assert {layout.family for layout in LAYOUTS} | {PAPER} == set(KINDS)
    assert recognise(resnet(), Request(kind="cyclegan")).family == "cyclegan"
    with pytest.raises(CheckpointRefused, match="holds a cyclegan network; --kind says stylegan2"):
        recognise(resnet(), Request(kind="stylegan2"))


STRANGERS: dict[str, dict[str, Any]] = {
    "lucidrains": {"GAN": {"S.net.0.weight": torch.zeros(2), "G.initial_block": torch.zeros(2)}, "version": "1.0"},
    "FastGAN": {"g": {"module.init.init.0.weight_orig": torch.zeros(2), "module.feat_8.1.weight": torch.zeros(2)}},
    "genforce's layout": {"generator": {"synthesis.early_layer.const": torch.zeros(2)}},
    "style-based-gan-pytorch": {"generator": {"progression.0.conv1.0.weight": torch.zeros(2)}},
    "GFPGAN": {"params_ema": {"stylegan_decoder.style_mlp.1.weight": torch.zeros(2)}},
    "Stable Diffusion": {"state_dict": {"model.diffusion_model.out.0.weight": torch.zeros(2)}},
    "anti-aliased": {"model.4.filt": torch.zeros(2), "model.12.conv_block.1.weight": torch.zeros(2)},
    "pix2pixHD": {"model.1.weight": torch.zeros(2), "model.16.conv_block.1.weight": torch.zeros(2)},
    "without its generator": {"state_dict": {"encoder.styles.0.convs.0.weight": torch.zeros(2)}},
    "picture classifier": {"layer1.0.conv1.weight": torch.zeros(2), "fc.weight": torch.zeros(2)},
    "PatchGAN discriminator alone": PatchDiscriminator(ndf=4).state_dict(),
    "pixel discriminator alone": PixelDiscriminator(ndf=4).state_dict(),
    "StyleGAN discriminator alone": Discriminator(0, 16, 3, channel_base=64, channel_max=8).state_dict(),
}


@pytest.mark.parametrize("what", STRANGERS)
def test_what_cannot_be_served_is_named(what: str) -> None:
    with pytest.raises(CheckpointRefused, match=rf"^The file holds .*{what}.*which cannot be served\.$"):
        recognise(STRANGERS[what], Request())


def test_what_is_unknown_is_described() -> None:
    unknown = {
        "a.weight": torch.zeros(2, 3),
        "b": torch.zeros(5),
        "c": torch.zeros(1),
        "d": torch.zeros(1),
        "e": torch.zeros(1),
    }
    with pytest.raises(
        CheckpointRefused, match=r"holds 5 tensors under 'net', the first of them a.weight \[2, 3\], b \[5\]"
    ):
        recognise({"net": unknown, "epoch": 3}, Request())
    with pytest.raises(CheckpointRefused, match=r"no dictionary of tensors, but 'epoch', 'loss'\.$"):
        recognise({"epoch": 3, "loss": [1.0]}, Request())
    with pytest.raises(CheckpointRefused, match="a list and no dictionary of tensors"):
        recognise([1, 2], Request())


def test_a_family_with_a_tensor_too_many_or_too_few() -> None:
    tensors = resnet()
    with pytest.raises(CheckpointRefused, match=r"cannot be imported: .*strange"):
        recognise({**tensors, "strange": torch.zeros(1)}, Request())
    del tensors["model.4.bias"]
    with pytest.raises(CheckpointRefused, match=r"cannot be imported: .*model\.4\.bias"):
        recognise(tensors, Request())


def test_numbers_that_are_not_finite() -> None:
    tensors = resnet()
    tensors["model.4.weight"][0, 0, 0, 0] = float("nan")
    with pytest.raises(CheckpointRefused, match=r"'model\.4\.weight' of the file holds numbers that are not finite"):
        recognise(tensors, Request())


def test_halves_become_floats() -> None:
    halves = {name: tensor.half() for name, tensor in resnet().items()}
    assert {tensor.dtype for tensor in recognise(halves, Request()).tensors.values()} == {torch.float32}
