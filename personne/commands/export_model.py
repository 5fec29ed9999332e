"""personne export: a run or a snapshot becomes a model folder with graphs, manifest, sheet and card."""

import json
import shutil
from pathlib import Path

from pydantic import ValidationError

from models.catalogue import ModelEntry
from models.contact_sheet import save_sheet
from models.errors import ModelRefused
from models.export.export_model import ModelFacts, export_model
from models.networks.stylegan2 import scale_noise
from personne.commands.model_card import MEASURED_FILE, NEAREST_FILE, SHEET_FILE, CardFacts, read_run, write_card
from personne.commands.sample import draw_faces
from training.snapshots import open_snapshot

SHEET_SEEDS = range(40)
SHEET_COLUMNS = 10
SHEET_PSI = 0.7


def export_run(
    source: Path,
    *,
    name: str,
    store: Path,
    out: Path | None = None,
    facts_file: Path | None = None,
    measured: Path | None = None,
    noise: float = 1.0,
) -> ModelEntry:
    """Export the newest snapshot of a run, or one snapshot file, as the model `name`.

    It goes into the store with its weights beside the graphs, or, when `out` is given, to that folder without them
    (as bundled models are). `facts_file`: JSON of CardFacts. `measured`: a folder with measured.json and nearest.jpg,
    as `python -m benchmarks.faces` writes it. `noise`: the share of the trained noise strength that goes into the
    graphs, 0 to 1. Raises ModelsError, or FileNotFoundError where there is no snapshot.
    """
    snapshot = open_snapshot(source)
    facts = read_facts(facts_file)
    figures = {"noise": noise, **_read_measured(measured)}
    if figures["noise"] != noise:
        raise ModelRefused(f"{measured} was measured with --noise {figures['noise']}; this export has --noise {noise}.")
    generator = snapshot.generator()
    scale_noise(generator.synthesis, noise)
    entry = export_model(
        generator,
        ModelFacts(
            name=name,
            licence=facts.licence,
            origin=facts.origin,
            training_data=facts.training_data,
            metrics={**read_run(snapshot.path.parent.parent, snapshot.images_seen), **figures},
        ),
        out or store / name,
        keep_weights=out is None,
    )
    save_sheet(draw_faces(entry, SHEET_SEEDS, SHEET_PSI), SHEET_COLUMNS, entry.folder / SHEET_FILE)
    if measured is not None:
        shutil.copyfile(measured / NEAREST_FILE, entry.folder / NEAREST_FILE)
    write_card(entry.generator, facts, entry.folder)
    return entry


def read_facts(path: Path | None) -> CardFacts:
    """Raises ModelRefused when the file is not of that form."""
    if path is None:
        return CardFacts(licence="not stated", origin="exported from a checkpoint")
    try:
        return CardFacts.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelRefused(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def _read_measured(folder: Path | None) -> dict[str, float]:
    if folder is None:
        return {}
    measured: dict[str, float] = json.loads((folder / MEASURED_FILE).read_text(encoding="utf-8"))
    return measured
