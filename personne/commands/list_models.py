"""personne models: what there is, as a table or as JSON."""

import json
import sys

from rich.console import Console
from rich.table import Table

from models.catalogue import Catalogue, ModelEntry
from models.manifest import GeneratorManifest

COLUMNS = ("name", "family", "side", "size", "licence", "from", "digest")


def list_models(catalogue: Catalogue, *, as_json: bool) -> None:
    """Print every model, and below them each folder that was refused, with the reason."""
    if as_json:
        listing = {
            "models": [_fields(entry) for entry in catalogue],
            "refused": [{"folder": str(refusal.folder), "reason": refusal.reason} for refusal in catalogue.refusals],
        }
        sys.stdout.write(json.dumps(listing, indent=2) + "\n")
        return
    # A licence may have brackets, which would be taken for colours.
    console = Console(markup=False, emoji=False)
    table = Table(*COLUMNS)
    for entry in catalogue:
        table.add_row(*_row(entry))
    console.print(table if table.row_count else "There is no model here: `personne export` makes one.")
    for refusal in catalogue.refusals:
        console.print(f"refused: {refusal.reason}", style="red", markup=False)
    for entry in catalogue:
        if entry.directions_refused:
            console.print(f"without directions: {entry.directions_refused}", style="red", markup=False)


def _fields(entry: ModelEntry) -> dict[str, object]:
    manifest = entry.manifest.model_dump(mode="json", exclude={"w_avg"})
    return {**manifest, "digest": entry.manifest.digest, "source": entry.source, "folder": str(entry.folder)}


def _row(entry: ModelEntry) -> tuple[str, ...]:
    manifest = entry.manifest
    megabytes = sum(graph.bytes for graph in manifest.graphs.values()) / 1e6
    return (
        manifest.name,
        manifest.family,
        str(manifest.resolution) if isinstance(manifest, GeneratorManifest) else "any",
        f"{megabytes:.1f} MB",
        manifest.licence,
        entry.source,
        manifest.digest,
    )
