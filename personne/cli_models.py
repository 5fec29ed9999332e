"""The commands about models: what there is, where they come from, and what they draw."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from jobs.contract import PictureFormat
from personne.cli_options import Device, Model, Store, need, settings_of, tell

app = typer.Typer()


@app.command()
def models(
    *,
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="All that is known of each, as JSON.")] = False,
) -> None:
    """List the models that are here."""
    from models.catalogue import find_models
    from personne.commands.list_models import list_models

    list_models(find_models(settings_of(store=store).store), as_json=as_json)


@app.command()
def sample(
    *,
    seeds: Annotated[str, typer.Option(help="0-63, or 1,5,9-12.")],
    out: Annotated[Path, typer.Option(help="A folder, or with --grid a file.")],
    model: Model = None,
    truncation_psi: Annotated[float | None, typer.Option(min=0, max=1, help="Lower is plainer (0.7).")] = None,
    label: Annotated[str | None, typer.Option("--class", help="Number or name of a class.")] = None,
    rotate: Annotated[float | None, typer.Option(help="Degrees counter-clockwise (StyleGAN3).")] = None,
    translate: Annotated[str | None, typer.Option(help="X,Y: shares right and down (StyleGAN3).")] = None,
    attributes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=LOW..HIGH", help="age=-2..2; each seed draws its own.")
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="labels.csv beside the files.")] = False,
    picture_format: Annotated[PictureFormat, typer.Option("--format")] = PictureFormat.PNG,
    grid: Annotated[bool, typer.Option("--grid", help="One sheet instead of a file a seed.")] = False,
    device: Device = None,
    store: Store = None,
) -> None:
    """Draw the faces of seeds into files: with --set and --labels, a labelled data set."""
    need(worker="onnxruntime")
    settings = settings_of(default_model=model, device=device, store=store)
    from personne.commands.sample import pattern_of, ranges_of, sample_faces
    from personne.models_here import models_here
    from worker.tasks.task import stamp_for

    here = models_here(settings)
    entry = here.named(settings.default_model)
    pattern = pattern_of(
        entry,
        here,
        truncation_psi=truncation_psi,
        default_psi=settings.default_psi,
        label=label,
        rotate=rotate,
        translate=translate,
        picture_format=picture_format,
    )
    stamp = stamp_for(settings.worker_config())
    ranges = ranges_of(attributes or [], entry)
    sample_faces(
        replace(pattern, directions=entry.directions.digest if ranges else ""),
        entry,
        seeds=seeds,
        out=out,
        grid=grid,
        device=settings.device,
        stamp=stamp,
        ranges=ranges,
        labels=labels,
    )


@app.command()
def translate(
    *,
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Photos, and folders of photos.")],
    style: Annotated[str, typer.Option(help="Name of a translator.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    strength: Annotated[float, typer.Option(min=0, max=1, help="0: the photo; 1: the translation.")] = 1.0,
    size: Annotated[int | None, typer.Option(min=16, help="Longest side in pixels (the photo's).")] = None,
    mask: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A picture, white where a photo is to be filled.")
    ] = None,
    picture_format: Annotated[PictureFormat | None, typer.Option("--format", help="The photo's.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are no translations, too.")] = False,
    device: Device = None,
    store: Store = None,
) -> None:
    """Translate photos into a style, files and folders."""
    need(worker="onnxruntime")
    settings = settings_of(device=device, store=store, models=style)
    from personne.commands.translate import Wish, translate_photos
    from personne.models_here import models_here

    entry = models_here(settings).named(style)
    wish = Wish(strength, size, picture_format, mask)
    written = translate_photos(entry, sources, out, wish, settings.worker_config(), force=force)
    typer.echo(f"{len(written)} translations are in {out}.")


@app.command()
def export(
    *,
    source: Annotated[Path, typer.Argument(metavar="RUN_OR_CHECKPOINT", help="A run's folder, or one snapshot.")],
    name: Annotated[str, typer.Option(help="What the model will be called.")],
    out: Annotated[Path | None, typer.Option(help="A folder without weights instead of the store.")] = None,
    facts: Annotated[Path | None, typer.Option(help="JSON: licence, origin, training_data, notes.")] = None,
    measured: Annotated[Path | None, typer.Option(help="Folder of figures for the card.")] = None,
    noise: Annotated[float, typer.Option(min=0, max=1, help="Share of the trained noise strength to keep.")] = 1.0,
    float16: Annotated[bool, typer.Option("--float16", help="A second graph, for GPUs.")] = False,
    batch_norm: Annotated[str | None, typer.Option(help="Of a translator: running, or batch (as it says).")] = None,
    example: Annotated[Path | None, typer.Option(help="Of a translator: the photo that shows it.")] = None,
    store: Store = None,
) -> None:
    """Make a model of a training run, after proving that its graphs agree with PyTorch."""
    need(export="onnxscript", worker="onnxruntime")
    from models.store import holds_model
    from personne.commands.export_model import ExportOptions, export_run

    store = settings_of(store=store).store
    options = ExportOptions(noise=noise, float16=float16, batch_norm=batch_norm, example=example)
    replaced = holds_model(out or store / name)
    entry = export_run(source, name=name, store=store, out=out, facts_file=facts, measured=measured, options=options)
    instead = ", in place of the model that was there" if replaced else ""
    typer.echo(f"{entry.manifest.name} ({entry.manifest.digest}) is in {entry.folder}{instead}.")


@app.command("import")
def import_(
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint, a run's folder, or a model's.")],
    name: Annotated[str | None, typer.Option(help="What the model will be called (the file's name).")] = None,
    kind: Annotated[str | None, typer.Option(help="Where the file leaves a choice: docs/models.md.")] = None,
    part: Annotated[str | None, typer.Option(help="Which, of several generators in one file.")] = None,
    licence: Annotated[str | None, typer.Option(help="Under which licence it came, where the file is silent.")] = None,
    title: Annotated[str, typer.Option(help="What a person would call a translator's style.")] = "",
    float16: Annotated[bool, typer.Option("--float16", help="A second graph, for GPUs.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of that name.")] = False,
    store: Store = None,
) -> None:
    """Make a model of somebody's checkpoint: StyleGAN 1 to 3, Progressive GAN, DCGAN, CycleGAN, pix2pix.

    A folder that is a model already is checked and copied.
    """
    settings = settings_of(store=store)
    from models.errors import ModelRefused
    from models.store import Store as ModelStore
    from personne.commands.import_folder import import_folder, is_model

    shelf = ModelStore(settings.store)
    if is_model(source):
        if kind or part or licence or title or float16:
            raise ModelRefused(f"{source} is a model already: only --name, --force and --store are of use.")
        tell(import_folder(source, shelf, name=name, force=force), ())
        return
    need(export="onnxscript", worker="onnxruntime")
    from personne.commands.import_model import ImportOptions, import_model

    options = ImportOptions(name=name, kind=kind, part=part, licence=licence, title=title, float16=float16, force=force)
    tell(*import_model(source, shelf, options))


@app.command()
def pull(
    *,
    name: Annotated[str | None, typer.Argument(help="A name of the table; none given: the table.")] = None,
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="You accept what was shown.")] = False,
    called: Annotated[str | None, typer.Option("--name", help="What the model will be called.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of that name.")] = False,
    store: Store = None,
) -> None:
    """Download a well-known published checkpoint and import it."""
    need(export="httpx", worker="onnxruntime")
    settings = settings_of(store=store)
    from models.store import Store as ModelStore
    from personne.commands.pull_model import list_published, pull_model

    if name is None:
        list_published()
    else:
        shelf = ModelStore(settings.store)
        tell(*pull_model(name, shelf, accept_licence=accept_licence, called=called, force=force))


@app.command()
def remove(*, name: Annotated[str, typer.Argument(help="A model of the store.")], store: Store = None) -> None:
    """Delete a model from the store."""
    from models.store import Store as ModelStore

    ModelStore(settings_of(store=store).store).remove(name)


@app.command("verify-model")
def verify_model(
    *,
    name: Annotated[str, typer.Argument(help="A model that `personne models` lists.")],
    seeds: Annotated[int | None, typer.Option(min=1, help="Pictures in float16 (64, of large models fewer).")] = None,
    device: Annotated[str, typer.Option(help="Where float16 runs; on the CPU it is emulated.")] = "cpu",
    store: Store = None,
) -> None:
    """Take a model's hashes again and compare its graphs with its network: exit status 0 or 1."""
    need(export="onnxscript", worker="onnxruntime")
    from models.catalogue import find_models
    from personne.commands.verify_model import verify_model as verify

    verify(find_models(settings_of(store=store).store), name, seeds=seeds, device=device)


@app.command()
def evaluate(
    *,
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a generator.")],
    data: Annotated[Path, typer.Option(help="The pictures that it learnt from: folder or zip.")],
    test: Annotated[Path | None, typer.Option(help="Pictures that it never saw (the test split of --data).")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report (evaluation/MODEL).")] = None,
    samples: Annotated[int, typer.Option(min=12, help="Pictures to draw.")] = 1000,
    ways: Annotated[int, typer.Option(min=0, help="Ways through w, for the path length; 0: none.")] = 200,
    truncation_psi: Annotated[float, typer.Option(min=0, max=1, help="1 is all of its variety.")] = 1.0,
    features: Annotated[Path | None, typer.Option(help="An encoder of your own: personne train features.")] = None,
    inception: Annotated[Path | None, typer.Option(help="Weights of Inception, for FID and KID.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Put the figures into the model's manifest and card.")] = False,
    device: Device = None,
    store: Store = None,
) -> None:
    """Measure a generator: quality, variety, and whether it copies; a page and a JSON file."""
    need(training="torch", worker="onnxruntime")
    settings = settings_of(device=device, store=store)
    from personne.commands.evaluate import Wish, put_into_card
    from personne.commands.evaluate import evaluate as evaluate_with
    from personne.models_here import models_here

    entry, folder = models_here(settings).named(name), out or Path("evaluation") / name
    wish = Wish(samples, ways, truncation_psi, features, inception, settings.device)
    evaluate_with(entry, data=data, test=test, out=folder, wish=wish, say=typer.echo)
    if card:
        put_into_card(entry, folder)
    typer.echo(f"The report is {folder / 'report.html'}.")
