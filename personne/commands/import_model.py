"""personne import: a published checkpoint becomes a served model, or one sentence says why not."""

import dataclasses
from pathlib import Path

from models.catalogue import ModelEntry, check_only_name, find_models, open_model
from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.description import Description, describe_file
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.opening import open_safely
from models.checkpoints.recognise import KINDS, PAPER, Request
from models.export.export_model import ModelFacts, export_model
from models.networks.architectures import build
from models.store import Store, check_name, model_name
from personne.commands.model_card import CardFacts, write_card
from personne.commands.model_sheet import draw_sheet
from personne.progress import Step, shown_steps
from training.snapshots import list_snapshots, open_snapshot

UNKNOWN_LICENCE = "unknown: ask its author"


@dataclasses.dataclass(frozen=True)
class ImportOptions:
    """What the person says. name: the file's, where None. kind, part: see Request. licence: the file's, where None.

    title: of a translator's style. origin: where the file is from. float16: write a second graph, for GPUs. force:
    replace a model of that name.
    """

    name: str | None = None
    kind: str | None = None
    part: str | None = None
    licence: str | None = None
    title: str = ""
    origin: str = ""
    float16: bool = False
    force: bool = False


def import_model(source: Path, store: Store, options: ImportOptions) -> tuple[ModelEntry, tuple[str, ...]]:
    """The model that a checkpoint file, or a training run's folder, has become, and what to know of it.

    Opened safely, built, loaded strictly, exported, compared with PyTorch, drawn, described; it appears in the store
    when all of that is done. Raises ModelsError, one sentence, whatever is wrong: SameGraphs, say, where the model is
    here already under another name.
    """
    name = check_name(options.name) if options.name else model_name(source.stem)
    if options.kind is not None and options.kind not in KINDS:
        raise CheckpointRefused(f"There is no kind {options.kind!r}; there are: {', '.join(KINDS)}.")
    if not options.force:
        store.check_free(name)
    path = open_snapshot(source).path if source.is_dir() else source
    description = _described(path)
    with shown_steps() as step, store.making(name, replace=options.force) as folder:
        checkpoint = _read(path, description, options, step)
        facts = _facts(name, path, description, checkpoint, options)
        _make(checkpoint, facts, folder, store, step, float16=options.float16)
    return open_model(store.root / name, "store"), checkpoint.notes


def _described(path: Path) -> Description:
    """What lies beside the file; of a training's state, what lies beside its newest snapshot."""
    snapshots = list_snapshots(path.parent) if path.name == "state.pt" else []
    description = describe_file(snapshots[-1] if snapshots else path)
    return dataclasses.replace(description, images_seen=None) if snapshots else description


def _read(path: Path, description: Description, options: ImportOptions, step: Step) -> Checkpoint:
    step(f"Opening {path.name} in a process of its own")
    request = Request(kind=options.kind, part=options.part, described=description.as_request())
    checkpoint = open_safely(path, request=request, on_progress=lambda line: step(f"  {line}"))
    if options.kind not in (None, PAPER, checkpoint.family):
        raise CheckpointRefused(f"The file holds a {checkpoint.family} network; --kind says {options.kind}.")
    return checkpoint


def _facts(
    name: str, path: Path, description: Description, checkpoint: Checkpoint, options: ImportOptions
) -> ModelFacts:
    seen = description.images_seen
    return ModelFacts(
        name=name,
        licence=options.licence or description.licence or UNKNOWN_LICENCE,
        origin=options.origin or f"imported from {path.name} ({checkpoint.origin})",
        metrics={} if seen is None else {"images_seen": float(seen)},
        title=options.title,
    )


def _make(checkpoint: Checkpoint, facts: ModelFacts, folder: Path, store: Store, step: Step, *, float16: bool) -> None:
    step(f"Building the {checkpoint.family} network")
    family, kwargs = checkpoint.family, checkpoint.kwargs
    network = build(family, kwargs, checkpoint.tensors)
    # Gigabytes, for a large model, that the network has its own copy of.
    checkpoint.tensors.clear()
    step("Exporting its graphs and comparing them with PyTorch")
    entry = export_model(
        network, family, facts, folder, kwargs=kwargs, keep_weights=True, float16=float16, keep_exact=True
    )
    # The same weights give the same graphs, so a second import of a file is known by them.
    check_only_name(entry.manifest, facts.name, find_models(store.root))
    step("Drawing the contact sheet")
    draw_sheet(entry)
    notes = "\n".join(f"- {note}" for note in checkpoint.notes)
    write_card(entry.manifest, CardFacts(licence=facts.licence, origin=facts.origin, notes=notes), entry.folder)
