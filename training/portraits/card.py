"""card.md of a finished run: what was trained, on what, how it measures, and what to do with it."""

import json

from training.portraits.config import PortraitConfig
from training.portraits.data import describe_data
from training.portraits.state import PortraitState
from training.run_log import STATS_NAME
from training.snapshots import best_snapshot, list_snapshots, open_snapshot


def card_text(config: PortraitConfig, state: PortraitState) -> str:
    """Markdown. Reads the run's statistics and snapshots."""
    rows = [json.loads(line) for line in (config.out / STATS_NAME).read_text(encoding="utf-8").splitlines()]
    parameters = sum(parameter.numel() for parameter in state.shipped().parameters())
    lines = [
        f"# {config.out.name}",
        "",
        f"A {config.family} of {config.resolution}x{config.resolution}, {parameters / 1e6:.1f} million parameters,",
        f"after {state.images_seen:,} images, on {rows[-1]['device'] if rows else 'an unknown device'}.",
        "",
        "Learnt from " + describe_data(config) + ".",
        "",
        *_measured(config),
        f"`personne export {config.out} --name {config.out.name}` makes a model of the newest snapshot.",
        "",
    ]
    return "\n".join(lines)


def _measured(config: PortraitConfig) -> list[str]:
    snapshots = [open_snapshot(path) for path in list_snapshots(config.out)]
    measured = [each for each in snapshots if each.measured]
    if not measured:
        return []
    best = best_snapshot(config.out)
    names = list(measured[-1].measured)
    table = ["| images seen | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for each in measured:
        figures = " | ".join(f"{each.measured.get(name, float('nan')):.3f}" for name in names)
        table.append(f"| {each.images_seen:,} | {figures} |")
    return [*table, "", f"The best by sliced Wasserstein distance is {best.name if best else 'none'}.", ""]
