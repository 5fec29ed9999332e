"""The commands about directions: finding, importing, naming them, and moving faces along them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.contract import PictureFormat
from personne.cli_options import Device, Model, Store, need, settings_of

if TYPE_CHECKING:
    from models.catalogue import ModelEntry

directions = typer.Typer(help="What of a model's faces can be moved: a smile, the age, the pose.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(metavar="MODEL", help="Name of a generator.")]
Called = Annotated[str, typer.Option("--as", help="The attribute's name.")]
Meaning = Annotated[str, typer.Option(help="From what to what it leads.")]
Low = Annotated[float, typer.Option(help="Least strength.")]
High = Annotated[float, typer.Option(help="Greatest strength.")]


@directions.command()
def find(
    *,
    model: Named,
    method: Annotated[list[str] | None, typer.Option(help="ganspace, sefa (both), interfacegan.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Components of ganspace and sefa.")] = 10,
    samples: Annotated[int, typer.Option(min=50, help="Latents that are drawn.")] = 2000,
    layers: Annotated[str | None, typer.Option(help="A-B: style layers that move (all), the first being 0.")] = None,
    space: Annotated[str, typer.Option(help="w or z, for interfacegan.")] = "w",
    scores: Annotated[Path | None, typer.Option(help="CSV: seed and a column an attribute (our estimators).")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Attributes to find, of those with scores (all).")] = None,
    share: Annotated[
        float, typer.Option(min=0.01, max=0.5, help="Highest and lowest scores that are told apart.")
    ] = 0.1,
    device: Device = None,
    store: Store = None,
) -> None:
    """Find directions and put them into the model's folder; a running service has them at once."""
    methods = tuple(method or ("ganspace", "sefa"))
    need(worker="onnxruntime", **({"export": "onnxscript"} if "sefa" in methods else {}))
    need(**({"training": "sklearn"} if "interfacegan" in methods else {}))
    settings = settings_of(device=device, store=store)
    from personne.commands.find_directions import SHEET_FILE, Search, find_directions
    from personne.commands.name_directions import layer_range, list_directions, space_of
    from personne.models_here import models_here

    entry = models_here(settings).named(model)
    search = Search(
        methods=methods,
        count=count,
        samples=samples,
        layers=layer_range(layers),
        space=space_of(space),
        scores=scores,
        only=tuple(only or ()),
        share=share,
    )
    list_directions(find_directions(entry, search, settings.device))
    typer.echo(f"What they do is on the sheet {entry.folder / SHEET_FILE}.")


@directions.command()
def attributes(
    *,
    model: Named,
    samples: Annotated[int, typer.Option(min=200, help="Faces in which they are looked for.")] = 6000,
    device: Device = None,
    store: Store = None,
) -> None:
    """Find what our estimators know of faces: a smile, the age, each out of the others' way."""
    need(worker="onnxruntime", training="sklearn")
    settings = settings_of(device=device, store=store)
    from personne.commands.attribute_directions import find_attributes
    from personne.commands.find_directions import SHEET_FILE
    from personne.commands.name_directions import list_directions
    from personne.models_here import models_here

    entry = models_here(settings).named(model)
    list_directions(find_attributes(entry, settings.device, samples))
    typer.echo(f"What they do is on the sheet {entry.folder / SHEET_FILE}.")


@directions.command("import")
def import_(
    *,
    model: Named,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A published boundary, .npy; or directions, .npz.")],
    called: Annotated[str | None, typer.Option("--as", help="The attribute's name; directions have their own.")] = None,
    space: Annotated[str, typer.Option(help="w or z: the file does not say.")] = "w",
    meaning: Meaning = "",
    low: Low = -3.0,
    high: High = 3.0,
    store: Store = None,
) -> None:
    """Take a published boundary, (1, 512) or by layer (18, 512), as it is: one of strength is one of its units.

    Of an .npz, as the page /teach saves it, all directions are taken with what the file says of them.
    """
    from personne.commands.name_directions import import_boundary, import_directions, list_directions, space_of

    entry = _entry(model, store)
    if source.suffix == ".npz":
        list_directions(import_directions(entry, source, called))
        return
    if called is None:
        raise typer.BadParameter("a boundary's file does not say what it is called: --as NAME.")
    taken = import_boundary(entry, source, called, space_of(space), meaning=meaning, limits=(low, high))
    list_directions(taken)


@directions.command()
def examples(
    *,
    model: Named,
    called: Called,
    plus: Annotated[str, typer.Option(help="Seeds of faces that have it: 1,5,9-12.")],
    minus: Annotated[str, typer.Option(help="Seeds of faces that lack it.")],
    meaning: Meaning = "",
    device: Device = None,
    store: Store = None,
) -> None:
    """Take the difference of faces as a direction: with --plus A --minus B, strength 1 makes of C what C + A - B is."""
    need(worker="onnxruntime")
    settings = settings_of(device=device, store=store)
    from personne.commands.name_directions import difference_of_examples, list_directions
    from personne.models_here import models_here

    entry = models_here(settings).named(model)
    found = difference_of_examples(entry, called, plus, minus, meaning=meaning, device=settings.device)
    list_directions(found)


@directions.command()
def rename(
    *,
    model: Named,
    old: Annotated[str, typer.Argument(help="The direction's name now.")],
    new: Annotated[str, typer.Argument(help="What it will be called.")],
    meaning: Meaning = "",
    flip: Annotated[bool, typer.Option("--flip", help="Turn it round.")] = False,
    low: Annotated[float | None, typer.Option(help="Least strength.")] = None,
    high: Annotated[float | None, typer.Option(help="Greatest strength.")] = None,
    store: Store = None,
) -> None:
    """Name a direction, once its sheet has shown what it does, or change its range."""
    from personne.commands.name_directions import list_directions, rename_direction

    entry, limits = _entry(model, store), (low, high)
    list_directions(rename_direction(entry, old, new, meaning=meaning, flip=flip, limits=limits))


@directions.command()
def condition(
    *,
    model: Named,
    name: Annotated[str, typer.Argument(help="The direction.")],
    on: Annotated[str, typer.Option(help="Attributes that it is to leave alone, with commas between.")],
    device: Device = None,
    store: Store = None,
) -> None:
    """Put a direction out of the way of others, for good; keep= does so for one face."""
    need(worker="onnxruntime")
    settings = settings_of(device=device, store=store)
    from personne.commands.name_directions import condition_direction, list_directions
    from personne.models_here import models_here

    entry = models_here(settings).named(model)
    list_directions(condition_direction(entry, name, on.split(","), device=settings.device))


@directions.command()
def remove(
    *, model: Named, names: Annotated[list[str], typer.Argument(help="Directions to forget.")], store: Store = None
) -> None:
    """Forget directions."""
    from personne.commands.name_directions import list_directions, remove_directions

    list_directions(remove_directions(_entry(model, store), names))


@directions.command()
def measure(
    *,
    model: Named,
    faces: Annotated[int, typer.Option(min=8, help="How many are moved.")] = 64,
    device: Device = None,
    store: Store = None,
) -> None:
    """Measure what directions do to their own and to each other's estimators, for the model's card."""
    need(worker="onnxruntime", training="torch")
    settings = settings_of(device=device, store=store)
    from personne.commands.measure_directions import CARD_FILE, measure_directions
    from personne.models_here import models_here

    entry = models_here(settings).named(model)
    for one in measure_directions(entry, settings.device, faces):
        largest = max(one.others, key=lambda name: abs(one.others[name]), default="")
        typer.echo(f"{one.name}: {one.own:+.2f} a unit, {one.ratio:.1f} times as much as {largest or 'any other'}")
    typer.echo(f"The table is in {entry.folder / CARD_FILE}.")


@directions.command("list")
def list_(*, model: Named, store: Store = None) -> None:
    """List a model's directions."""
    from personne.commands.name_directions import list_directions

    list_directions(_entry(model, store).directions)


def edit(
    *,
    seeds: Annotated[str, typer.Option(help="0-63, or 1,5,9-12.")],
    attributes: Annotated[list[str], typer.Option("--set", metavar="NAME=STRENGTH", help="smile=1.5; once for each.")],
    out: Annotated[Path, typer.Option(help="A folder, or with --grid a file.")],
    keep: Annotated[str | None, typer.Option(help="Attributes to leave alone, with commas between.")] = None,
    model: Model = None,
    truncation_psi: Annotated[float | None, typer.Option(min=0, max=1, help="Lower is plainer (0.7).")] = None,
    picture_format: Annotated[PictureFormat, typer.Option("--format")] = PictureFormat.PNG,
    grid: Annotated[bool, typer.Option("--grid", help="One sheet instead of a file a seed.")] = False,
    device: Device = None,
    store: Store = None,
) -> None:
    """Draw the faces of seeds, moved along attributes, into files."""
    need(worker="onnxruntime")
    settings = settings_of(default_model=model, device=device, store=store)
    from personne.commands.edit import edit_faces
    from personne.commands.sample import pattern_of
    from personne.models_here import models_here
    from worker.tasks.task import stamp_for

    here = models_here(settings)
    entry = here.named(settings.default_model)
    pattern = pattern_of(
        entry,
        here,
        truncation_psi=truncation_psi,
        default_psi=settings.default_psi,
        picture_format=picture_format,
    )
    stamp = stamp_for(settings.worker_config())
    edit_faces(pattern, entry, attributes, keep, seeds=seeds, out=out, grid=grid, device=settings.device, stamp=stamp)


def _entry(model: str, store: Path | None) -> "ModelEntry":
    from personne.models_here import models_here

    return models_here(settings_of(store=store)).named(model)
