"""personne export: a run or a snapshot becomes a model folder with graphs, manifest, sheet and card."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from safetensors.torch import load_file

from models.catalogue import ModelEntry, check_only_name, find_models, open_model
from models.errors import ModelRefused
from models.export.export_model import ModelFacts, export_model
from models.manifest import GeneratorManifest, read_manifest
from models.networks.architectures import TRANSLATORS, build
from models.networks.stylegan2 import scale_noise
from models.store import Store, check_name, check_replaceable
from personne.commands.model_card import MEASURED_FILE, PICTURED, CardFacts, read_run, write_card
from personne.commands.model_sheet import draw_sheet, draw_spare_faces
from training.run_folder import recorded_data
from training.snapshots import list_snapshots

BATCH_NORMS = ("running", "batch")


@dataclass(frozen=True)
class ExportOptions:
    """How the network becomes graphs.

    noise: the share of the trained noise strength that goes into the graphs, 0 to 1 (StyleGAN2). float16: write a
    second graph for GPUs. batch_norm: whether a translator's batch norms use the statistics of training (`running`) or
    those of each picture (`batch`, as pix2pix was published); both are deterministic. None: as the snapshot says.
    example: a photo that shows what a translator does, on the page and in /v1/styles; None: a drawn scene.
    """

    noise: float = 1.0
    float16: bool = False
    batch_norm: str | None = None
    example: Path | None = None


def export_run(
    source: Path,
    *,
    name: str,
    store: Path,
    out: Path | None = None,
    facts_file: Path | None = None,
    measured: Path | None = None,
    options: ExportOptions = ExportOptions(),
) -> ModelEntry:
    """Export the newest snapshot of a run, or one snapshot file, as the model `name`.

    It goes into the store with its weights beside the graphs, or, when `out` is given, to that folder without them
    (as bundled models are). `facts_file`: JSON of CardFacts. `measured`: a folder with measured.json and pictures, as
    `personne evaluate` and `python -m benchmarks.painting` write it. Raises ModelsError, or FileNotFoundError
    where there is no snapshot. A model that is there already is replaced when the new one is whole, nothing else
    is: ModelRefused. One whose graphs the store has under another name would not be served: SameGraphs.
    """
    name = check_name(name)
    path = _newest(source)
    with _making(name, store, out) as folder:
        _write(
            path, folder, name=name, facts_file=facts_file, measured=measured, options=options, with_weights=out is None
        )
        if out is None:
            check_only_name(read_manifest(folder), name, find_models(store))
    return open_model(out or store / name, "store")


@contextlib.contextmanager
def _making(name: str, store: Path, out: Path | None) -> Iterator[Path]:
    """A path to write the model folder to; when the block ends well it is in its place."""
    # A folder elsewhere is made as one of a store is: beside its place, found and cleaned up after a kill.
    place = store / name if out is None else out.resolve()
    check_replaceable(place)
    with Store(place.parent).making(place.name, replace=True) as folder:
        yield folder
        # It may have been filled in the meantime.
        check_replaceable(place)


def _write(
    path: Path,
    folder: Path,
    *,
    name: str,
    facts_file: Path | None,
    measured: Path | None,
    options: ExportOptions,
    with_weights: bool,
) -> None:
    """The model of a snapshot, into a folder that is not there yet. One without weights is as bundled models are."""
    described = _description(path)
    facts = read_facts(facts_file)
    figures = {**_noise_figure(described.family, options.noise), **_read_measured(measured)}
    if measured is not None and figures.get("noise", 1.0) != options.noise:
        raise ModelRefused(
            f"{measured} was measured with --noise {figures.get('noise')}; this export has --noise {options.noise}."
        )
    kwargs = _with_batch_norm(described, options.batch_norm)
    network = build(described.family, kwargs, load_file(path))
    if "noise" in figures:
        scale_noise(cast(Any, network).synthesis, options.noise)
    entry = export_model(
        network,
        described.family,
        ModelFacts(
            name=name,
            licence=facts.licence,
            origin=facts.origin,
            training_data=facts.training_data or recorded_data(path.parent.parent),
            title=facts.title,
            class_names=described.class_names,
            metrics={**read_run(path.parent.parent, described.images_seen), **figures},
        ),
        folder,
        kwargs=kwargs,
        keep_weights=with_weights,
        float16=options.float16,
    )
    draw_sheet(entry, options.example)
    if not with_weights and isinstance(entry.manifest, GeneratorManifest):
        draw_spare_faces(entry)
    for picture in PICTURED:
        if measured is not None and (measured / picture).is_file():
            shutil.copyfile(measured / picture, entry.folder / picture)
    write_card(entry.manifest, facts, entry.folder)


@dataclass(frozen=True)
class _Description:
    family: str
    kwargs: dict[str, Any]
    images_seen: int
    class_names: tuple[str, ...]


def _newest(source: Path) -> Path:
    if not source.is_dir():
        return source
    if found := list_snapshots(source):
        return found[-1]
    raise FileNotFoundError(f"{source} holds no snapshot yet")


def _description(snapshot: Path) -> _Description:
    """What the JSON beside a snapshot says: family, the network's arguments, images seen where it was trained here."""
    path = snapshot.with_suffix(".json")
    if not path.is_file():
        raise ModelRefused(f"{snapshot} has no {path.name} beside it, which says what network it is.")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        kwargs = fields["generator_kwargs"] if "generator_kwargs" in fields else fields["kwargs"]
        seen, class_names = int(fields.get("images_seen", 0)), tuple(map(str, fields.get("class_names", ())))
        return _Description(str(fields["family"]), dict(kwargs), seen, class_names)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"{path} describes no network ({error!r}); it needs family and kwargs.") from error


def _noise_figure(family: str, noise: float) -> dict[str, float]:
    if family == "stylegan2":
        return {"noise": noise}
    if noise != 1:
        raise ModelRefused(f"--noise keeps a share of StyleGAN2's noise; this is a {family}.")
    return {}


def _with_batch_norm(described: _Description, batch_norm: str | None) -> dict[str, Any]:
    if batch_norm is None:
        return described.kwargs
    if batch_norm not in BATCH_NORMS:
        raise ModelRefused(f"There is no --batch-norm {batch_norm!r}; there are {', '.join(BATCH_NORMS)}.")
    if described.family not in TRANSLATORS:
        raise ModelRefused(f"--batch-norm is for translators; this is a {described.family}.")
    return {**described.kwargs, "evaluation": batch_norm}


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
