"""The command line. It only declares; what one does lies in run_*.py and commands/, imported when it is called."""

import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.contract import PictureFormat
from personne.errors import USER_ERRORS, ExtraMissing, FrontDoorError, sentence

if TYPE_CHECKING:
    from models.catalogue import ModelEntry
    from personne.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).", show_default=False)]
Port = Annotated[int | None, typer.Option(help="Port to listen on (8000).", show_default=False)]
Queue = Annotated[str | None, typer.Option(help="memory, or redis://HOST:6379 (memory).", show_default=False)]
Store = Annotated[Path | None, typer.Option(help="Folder of your own models.", show_default=False)]
Model = Annotated[str | None, typer.Option(help="Name of the model (faces).", show_default=False)]
Ready = Annotated[int | None, typer.Option(help="Faces made ahead (64).", show_default=False)]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, tensorrt, openvino ... (auto).", show_default=False)]
Threads = Annotated[int | None, typer.Option(help="Threads on the CPU.", show_default=False)]
Lanes = Annotated[str | None, typer.Option(help="quick, slow, idle, with commas between (all).", show_default=False)]
Names = Annotated[str | None, typer.Option(help="Models to load, with commas between (all).", show_default=False)]

app = typer.Typer(
    help="Faces that do not exist, served by yourself. Options of serve, web and worker are PERSONNE_ variables too.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
train = typer.Typer(help="Train a model.", no_args_is_help=True)
app.add_typer(train, name="train")


@app.command()
def serve(
    *,
    host: Host = None,
    port: Port = None,
    queue: Queue = None,
    store: Store = None,
    default_model: Model = None,
    ready_faces: Ready = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Web and worker in one process."""
    settings = _settings(**locals())
    _need(app="fastapi", worker="onnxruntime")
    from personne.run_embedded import run

    run(settings)


@app.command()
def web(
    *,
    queue: Queue = None,
    port: Port = None,
    host: Host = None,
    store: Store = None,
    default_model: Model = None,
    ready_faces: Ready = None,
) -> None:
    """The web alone, with workers behind Redis."""
    settings = _settings(**locals())
    _need(app="fastapi")
    from personne.run_web import run

    run(settings)


@app.command()
def worker(
    *,
    queue: Queue = None,
    device: Device = None,
    lanes: Lanes = None,
    models: Names = None,
    threads: Threads = None,
    store: Store = None,
) -> None:
    """A worker alone, with the web behind Redis."""
    settings = _settings(**locals())
    _need(worker="onnxruntime")
    from personne.run_worker import run

    run(settings)


@app.command()
def health(
    *,
    url: Annotated[str, typer.Option(help="What to ask; /readyz asks for a warm worker too.")] = "",
    worker: Annotated[bool, typer.Option("--worker", help="Ask the queue for this host's worker instead.")] = False,
    queue: Queue = None,
) -> None:
    """Say whether the web, or this host's worker, is well: exit status 0 or 1."""
    settings = _settings(queue=queue)
    from personne.commands.check_health import check_web, check_worker

    typer.echo(check_worker(settings) if worker else check_web(url or settings.own_livez))


@app.command()
def models(
    *,
    store: Store = None,
    as_json: Annotated[bool, typer.Option("--json", help="All that is known of each, as JSON.")] = False,
) -> None:
    """List the models that are here."""
    from models.catalogue import find_models
    from personne.commands.list_models import list_models

    list_models(find_models(_settings(store=store).store), as_json=as_json)


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
    picture_format: Annotated[PictureFormat, typer.Option("--format")] = PictureFormat.PNG,
    grid: Annotated[bool, typer.Option("--grid", help="One sheet instead of a file a seed.")] = False,
    device: Device = None,
    store: Store = None,
) -> None:
    """Draw the faces of seeds into files."""
    _need(worker="onnxruntime")
    settings = _settings(default_model=model, device=device, store=store)
    from personne.commands.sample import pattern_of, sample_faces
    from personne.models_here import models_here

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
    sample_faces(pattern, entry, seeds=seeds, out=out, grid=grid, device=settings.device)


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
    store: Store = None,
) -> None:
    """Make a model of a training run, after proving that its graphs agree with PyTorch."""
    _need(export="onnxscript", worker="onnxruntime")
    from personne.commands.export_model import ExportOptions, export_run

    store = _settings(store=store).store
    options = ExportOptions(noise=noise, float16=float16, batch_norm=batch_norm)
    entry = export_run(source, name=name, store=store, out=out, facts_file=facts, measured=measured, options=options)
    typer.echo(f"{entry.manifest.name} ({entry.manifest.digest}) is in {entry.folder}.")


@app.command("import")
def import_(
    *,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint, or a training run's folder.")],
    name: Annotated[str | None, typer.Option(help="What the model will be called (the file's name).")] = None,
    kind: Annotated[str | None, typer.Option(help="Where the file leaves a choice: docs/models.md.")] = None,
    part: Annotated[str | None, typer.Option(help="Which, of several generators in one file.")] = None,
    licence: Annotated[str | None, typer.Option(help="Under which licence it came, where the file is silent.")] = None,
    title: Annotated[str, typer.Option(help="What a person would call a translator's style.")] = "",
    float16: Annotated[bool, typer.Option("--float16", help="A second graph, for GPUs.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of that name.")] = False,
    store: Store = None,
) -> None:
    """Make a model of somebody's checkpoint: StyleGAN 1 to 3, Progressive GAN, DCGAN, CycleGAN, pix2pix."""
    _need(export="onnxscript", worker="onnxruntime")
    settings = _settings(store=store)
    from models.store import Store as ModelStore
    from personne.commands.import_model import ImportOptions, import_model

    options = ImportOptions(name=name, kind=kind, part=part, licence=licence, title=title, float16=float16, force=force)
    _tell(*import_model(source, ModelStore(settings.store), options))


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
    _need(export="httpx", worker="onnxruntime")
    settings = _settings(store=store)
    from models.store import Store as ModelStore
    from personne.commands.pull_model import list_published, pull_model

    if name is None:
        list_published()
    else:
        shelf = ModelStore(settings.store)
        _tell(*pull_model(name, shelf, accept_licence=accept_licence, called=called, force=force))


@app.command()
def remove(*, name: Annotated[str, typer.Argument(help="A model of the store.")], store: Store = None) -> None:
    """Delete a model from the store."""
    from models.store import Store as ModelStore

    ModelStore(_settings(store=store).store).remove(name)


@app.command("verify-model")
def verify_model(
    *,
    name: Annotated[str, typer.Argument(help="A model that `personne models` lists.")],
    seeds: Annotated[int | None, typer.Option(min=1, help="Pictures in float16 (64, of large models fewer).")] = None,
    device: Annotated[str, typer.Option(help="Where float16 runs; on the CPU it is emulated.")] = "cpu",
    store: Store = None,
) -> None:
    """Take a model's hashes again and compare its graphs with its network: exit status 0 or 1."""
    _need(export="onnxscript", worker="onnxruntime")
    from models.catalogue import find_models
    from personne.commands.verify_model import verify_model as verify

    verify(find_models(_settings(store=store).store), name, seeds=seeds, device=device)


@train.command("faces")
def train_faces(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of aligned pictures.")],
    out: Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")],
    resolution: Annotated[int, typer.Option(help="Side of the pictures, a power of two.")],
    preset: Annotated[str | None, typer.Option(help="faces, faces_on_two_cores (which one fits the device).")] = None,
    images: Annotated[int | None, typer.Option(help="How many images to see in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images in a step.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 (the best there is).")] = None,
    init_from: Annotated[Path | None, typer.Option(help="A run or snapshot to start from.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
) -> None:
    """Train a generator of faces (StyleGAN2)."""
    _need(training="torch")
    _settings()
    from personne.commands.train_faces import train_faces as train_with

    options = {"total_images": images, "batch": batch, "device": device, "init_from": init_from, "seed": seed}
    train_with(data=data, out=out, resolution=resolution, preset=preset, options=options)


@train.command("translation")
def train_translation(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of the pictures to translate.")],
    style: Annotated[Path | None, typer.Option(help="Pictures whose look is wanted (unpaired presets).")] = None,
    also: Annotated[Path | None, typer.Option(help="A few more to translate: portraits beside landscapes.")] = None,
    out: Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")],
    preset: Annotated[str | None, typer.Option(help="See docs/training.md (painting, to fit the device).")] = None,
    resolution: Annotated[int | None, typer.Option(help="Side of the square crops.")] = None,
    images: Annotated[int | None, typer.Option(help="How many pictures to translate in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures in a step.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 (the best there is).")] = None,
    init_from: Annotated[Path | None, typer.Option(help="A run or snapshot to start from.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: any other setting.")] = None,
) -> None:
    """Train a translator of pictures (CycleGAN, CUT, pix2pix)."""
    _need(training="torch")
    _settings()
    from personne.commands.train_translation import train_translation as train_with

    options = {"total_images": images, "resolution": resolution, "batch": batch, "device": device, "also": also}
    options |= {"init_from": init_from, "seed": seed}
    train_with(data=data, style=style, out=out, preset=preset, options=options, changes=change or ())


def main() -> None:
    """`personne`: what its user can put right ends in one sentence and status 2 (an unhealthy service: 1)."""
    try:
        app()
    except USER_ERRORS as error:
        logging.getLogger(__name__).debug("The failure in full:", exc_info=True)
        typer.echo(f"personne: {sentence(error)}", err=True)
        sys.exit(error.exit_status if isinstance(error, FrontDoorError) else 2)


def _tell(entry: "ModelEntry", notes: tuple[str, ...]) -> None:
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(f"{entry.manifest.name} ({entry.manifest.digest}) is in {entry.folder}.")


def _settings(**options: Any) -> "Settings":
    from personne.logs import configure_logging
    from personne.settings import read_settings

    settings = read_settings(**options)
    configure_logging(settings)
    return settings


def _need(**module_of_extra: str) -> None:
    for extra, module in module_of_extra.items():
        if find_spec(module) is None:
            raise ExtraMissing(module, extra)
