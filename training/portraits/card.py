"""How a run of portraits measures, for its card."""

from training.portraits.config import PortraitConfig
from training.snapshots import best_snapshot, list_snapshots, open_snapshot


def measured_lines(config: PortraitConfig) -> list[str]:
    """A table of the measures of every snapshot, in Markdown; none where nothing was measured."""
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
