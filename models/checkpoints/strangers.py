"""Networks that are known and cannot be served: told by tensors that only they have, and named in the refusal."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from models.checkpoints.state_dicts import StateDict

STRANGERS: Mapping[str, Sequence[str]] = {
    "a StyleGAN2 of lucidrains' stylegan2-pytorch, whose arithmetic is another": (r"SE?\.net\.\d+\.weight",),
    "a lightweight GAN of lucidrains": (r"GE?\.(initial_conv|layers)\..*",),
    "a FastGAN generator": (r"init\.init\.0\.weight(_orig)?", r"feat_8\..*"),
    "a StyleGAN of rosinality's style-based-gan-pytorch": (r"(generator\.)?progression\.0\..*",),
    "a Progressive GAN of facebookresearch's pytorch_GAN_zoo": (r"scaleLayers\.0\..*",),
    "a StyleGAN2 in genforce's layout (its StyleGAN and Progressive GAN can be imported)": (
        r"synthesis\.early_layer\.const",
    ),
    "a GFPGAN face restorer": (r"stylegan_decoder\..*",),
    "a Stable Diffusion checkpoint": (r"model\.diffusion_model\..*",),
    "a diffusion U-Net": (r"down_blocks\.0\.resnets\.0\..*",),
    "a CUT generator with anti-aliased resampling (train it with --no_antialias --no_antialias_up)": (
        r"model\.\d+\.filt",
        r"model\.\d+\.conv_block\..*",
    ),
    "a pix2pixHD generator": (r"model\d_1\..*|model\.16\.conv_block\.1\.weight", r"model(\.|\d_1\.)\d+\..*"),
    "a U-GAT-IT generator": (r"gap_fc\..*", r"gmp_fc\..*"),
    "an encoder (pSp, e4e, ReStyle) without its generator": (r"(encoder\.)?styles\.0\..*",),
    "a PatchGAN discriminator alone": (r"model\.0\.weight", r"model\.2\.weight", r"model\.5\.weight|model\.3\.weight"),
    "a pixel discriminator alone": (r"net\.0\.weight", r"net\.2\.weight", r"net\.5\.weight"),
    "a StyleGAN discriminator alone": (r"b4\.conv\.weight|final_conv\..*|input0\.conv\.weight",),
    "a DCGAN discriminator alone": (r"main\.0\.weight", r"main\.3\.running_mean"),
    "a face recogniser": (r"input_layer\.0\.weight", r"body\.0\..*"),
    "a picture classifier": (r"(layer1\.0\.conv1|features\.0)\.weight", r"(fc|classifier.*)\.weight"),
}


def name_stranger(found: Sequence[StateDict]) -> str | None:
    """What the state dicts are, in words, or None where they are unknown here too."""
    for what, marks in STRANGERS.items():
        if any(has_all(one.tensors, marks) for one in found):
            return what
    return None


def has_all(tensors: Mapping[str, Any], marks: Sequence[str]) -> bool:
    """Whether each of the patterns is the whole of some name."""
    return all(any(re.fullmatch(mark, name) for name in tensors) for mark in marks)
