"""personne verify-model: is this still the model that was exported, and do its graphs compute what its network does?"""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from models.catalogue import Catalogue, ModelEntry, open_model
from models.errors import ModelRefused
from models.export.export_model import FLOAT16, graphs_of
from models.export.parity import Comparison, compare_float16, compare_with_network
from models.export.rebuild import rebuild
from personne.errors import ModelOff

COLUMNS = ("batch", "size", "difference", "PSNR", "images/s", "")


def verify_model(catalogue: Catalogue, name: str, *, seeds: int | None, device: str) -> None:
    """Print a table: each graph against the network at several batches, each float16 graph against float32.

    seeds: how many pictures each float16 graph draws; None: as many as an export would. device: where float16 runs (on
    the CPU it is emulated). Raises ModelNotFound, ModelRefused for a folder that is no longer what its manifest says,
    and ModelOff when a graph does not agree.
    """
    entry = _checked(catalogue, name)
    console = Console()
    console.print(f"{name} ({entry.manifest.digest}): the hashes of {len(entry.manifest.graphs)} graphs are right.")
    table = Table()
    table.add_column("graph", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    off = []
    for row in _comparisons(entry, seeds, device):
        table.add_row(*_cells(row))
        if not row.agrees:
            off.append(str(row))
    console.print(table)
    if off:
        raise ModelOff(name, off)


def _checked(catalogue: Catalogue, name: str) -> ModelEntry:
    """The model, its hashes taken now. One that the catalogue has refused says why, rather than that it is unknown."""
    for refusal in catalogue.refusals:
        if refusal.folder.name == name:
            raise ModelRefused(refusal.reason)
    entry = catalogue.named(name)
    return open_model(entry.folder, entry.source)


def _comparisons(entry: ModelEntry, seeds: int | None, device: str) -> Iterator[Comparison]:
    paths: dict[str, Path] = {name: entry.folder / spec.file for name, spec in entry.manifest.graphs.items()}
    for name, graph in graphs_of(rebuild(entry), entry.manifest.family).items():
        yield from compare_with_network(name, graph, paths[name])
        half = f"{name}{FLOAT16}"
        if half in paths:
            yield compare_float16(half, graph, paths[name], paths[half], seeds=seeds, device=device)


def _cells(row: Comparison) -> tuple[str, ...]:
    side = "" if not row.side else f"{row.width}x{row.side}"
    difference = f"{row.difference:.2g}" if row.graph == "mapping" else f"{row.difference:.0f} of 255"
    psnr = "equal" if row.psnr == float("inf") else f"{row.psnr:.1f} dB"
    batch = f"{row.batch}" + (f" ({row.seeds} seeds)" if row.seeds else "")
    return row.graph, batch, side, difference, psnr, f"{row.images_per_second:.1f}", "" if row.agrees else "OFF"
