"""How a run is doing, measured at every snapshot: how good, how varied, and whether the discriminator memorises."""
# N pictures, C channel, H W picture, Y label

import torch
import torch.nn.functional as F
from torch import Tensor

from training.metrics.sliced_wasserstein import PATCH, sliced_wasserstein
from training.portraits.config import PortraitConfig
from training.portraits.data import COMPARED, Portraits
from training.portraits.state import PortraitState, draw_seeds

SMALL_SIDE = 16
LEAST_DIVERSITY = 0.5
MEMORISED_SIGN = 0.6
FEWEST_HELD_OUT = 16
"""Of fewer pictures, the mean sign is as good as drawn by lot."""

COLLAPSE = (
    "the generated pictures differ from each other by {value:.2f} of what the training pictures do: the generator is "
    "collapsing onto a few. Go on from an earlier snapshot (--init-from) with a larger r1_gamma, a lower "
    "learning_rate, or a larger batch"
)
MEMORISING = (
    "the discriminator calls training pictures real and pictures that it never saw generated (mean signs differ by "
    "{value:.2f}): it memorises. Set augment_target to 0.6, use stronger augmentation, or add pictures"
)


def measure(config: PortraitConfig, state: PortraitState, data: Portraits) -> dict[str, float]:
    """swd, diversity, and memorising where there are pictures held out and a discriminator. Draws nothing at random.

    swd: mean over levels, against as many training pictures. diversity: mean distance between generated pictures as a
    share of that between training pictures. memorising: mean sign of the discriminator at training pictures, less
    that at pictures held out.
    """
    count = min(config.measured_pictures, len(data.train))
    if count < 2 or config.resolution < PATCH:
        return {}
    labels = data.some_labels(count, torch.Generator().manual_seed(0))
    fakes = to_levels(draw_seeds(state, range(count), config.batch, labels)).cpu()
    reals = data.train.at(evenly(len(data.train), count).numpy()).cpu()
    swd = sliced_wasserstein(fakes, reals)
    found = {"swd": sum(swd.values()) / len(swd), "diversity": _spread(fakes) / max(_spread(reals), 1e-8)}
    signs = _signs(config, state, data)
    return found if signs is None else {**found, "memorising": signs[0] - signs[1]}


def troubles(measured: dict[str, float]) -> dict[str, str]:
    """What is going wrong and what to try, by the measure that says so."""
    found = {}
    if measured.get("diversity", 1.0) < LEAST_DIVERSITY:
        found["diversity"] = COLLAPSE.format(value=measured["diversity"])
    if measured.get("memorising", 0.0) > MEMORISED_SIGN:
        found["memorising"] = MEMORISING.format(value=measured["memorising"])
    return found


def to_levels(pictures_NCHW: Tensor) -> Tensor:
    """[-1, 1] => 0..255."""
    return (pictures_NCHW.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def evenly(count: int, wanted: int) -> Tensor:
    """`wanted` places of `count`, evenly spread."""
    return torch.linspace(0, count - 1, wanted).round().long()


def _spread(pictures_NCHW: Tensor) -> float:
    """Mean RMS difference between two pictures, at 16x16, in levels."""
    # Of all of them: in the order of their names, the first may be of one folder or one person.
    chosen = pictures_NCHW[evenly(len(pictures_NCHW), min(len(pictures_NCHW), COMPARED))]
    small = F.adaptive_avg_pool2d(chosen.float(), SMALL_SIDE).flatten(1)
    return float(torch.pdist(small).mean() / small.shape[1] ** 0.5)


@torch.no_grad()
def _signs(config: PortraitConfig, state: PortraitState, data: Portraits) -> tuple[float, float] | None:
    """The discriminator's mean sign at training pictures and at those held out."""
    if data.held_out is None or (config.conditional and data.held_out_labels is None):
        return None
    count = min(len(data.held_out), len(data.train), COMPARED) // config.group * config.group
    if count < min(config.batch, FEWEST_HELD_OUT):
        return None
    means: list[float] = []
    for pictures, labels in (
        (data.train.at(evenly(len(data.train), count).numpy()), data.labels),
        (data.held_out[:count], data.held_out_labels),
    ):
        chosen = None if labels is None else labels[evenly(len(data.train), count)] if not means else labels[:count]
        logits = _judged(config, state, pictures, chosen)
        if logits is None:
            return None
        means.append(float(logits.sign().mean()))
    return means[0], means[1]


def _judged(config: PortraitConfig, state: PortraitState, pictures: Tensor, labels: Tensor | None) -> Tensor | None:
    device = next(state.average.parameters()).device
    logits = []
    for i in range(0, len(pictures), config.batch):
        x = pictures[i : i + config.batch].to(device).float() / 127.5 - 1  # 0..255 => [-1, 1]
        judged = state.judge(x, None if labels is None else labels[i : i + config.batch])
        if judged is None:
            return None
        logits.append(judged)
    return torch.cat(logits)
