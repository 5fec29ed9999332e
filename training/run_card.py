"""card.md and sheet.png of a finished run: what was trained, on what, how it measures, and what to do with it."""

import json
import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from torch import nn

from training.atomic import written_whole
from training.dataset import read_training_data
from training.run_config import RunConfig
from training.run_log import STATS_NAME

CARD_NAME, SHEET_NAME = "card.md", "sheet.png"


def finish(config: RunConfig, what: str, shipped: nn.Module, images_seen: int, measured: Iterable[str]) -> None:
    """Write both into the run's folder; the sheet is its newest sample.

    what: "A dcgan of 64x64". shipped: the network that snapshots hold. measured: lines of Markdown on how good it is.
    """
    samples = sorted((config.out / "samples").glob("*.png"))
    if samples:
        with written_whole(config.out / SHEET_NAME) as temporary:
            shutil.copyfile(samples[-1], temporary)
    parameters = sum(parameter.numel() for parameter in shipped.parameters())
    lines = [
        f"# {config.out.name}",
        "",
        f"{what}, {parameters / 1e6:.1f} million parameters,",
        f"after {images_seen:,} images, on {_device(config.out)}.",
        "",
        "Learnt from:",
        "",
        *(f"- {line}" for source in config.sources for line in _described(source)),
        "",
        *measured,
        f"`personne export {shlex.quote(str(config.out))} --name {_model_name(config.out)}` makes a model of "
        "the newest snapshot.",
        "",
    ]
    with written_whole(config.out / CARD_NAME) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def _model_name(run: Path) -> str:
    """The folder's name as far as a model may be called so, which is an address, too."""
    return re.sub(r"[^a-z0-9_-]+", "-", run.name.lower()).strip("-_")[:64] or "mine"


def _device(run: Path) -> str:
    rows = (run / STATS_NAME).read_text(encoding="utf-8").splitlines()
    return str(json.loads(rows[-1])["device"]) if rows else "an unknown device"


def _described(source: Path) -> list[str]:
    """Names, licences and attributions, where `personne dataset pack` wrote them down."""
    told = [
        f"{each.name} ({each.images} pictures), {each.licence}. {each.attribution}".strip()
        for each in read_training_data(source)
    ]
    return told or [f"{source.name}; its licence is not stated"]
