"""The command line. It only declares; what one does lies in run_*.py and commands/, imported when it is called."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from personne import (
    cli_certs,
    cli_dataset,
    cli_directions,
    cli_doctor,
    cli_inversion,
    cli_keys,
    cli_models,
    cli_morph,
    cli_training,
    cli_webhooks,
)
from personne.cli_options import (
    Device,
    Host,
    Lanes,
    Model,
    Names,
    Open,
    Port,
    Queue,
    Ready,
    Store,
    Threads,
    need,
    settings_of,
)
from personne.errors import USER_ERRORS, FrontDoorError, sentence

app = typer.Typer(
    help="Faces that do not exist, served by yourself. Options of serve, web and worker are PERSONNE_ variables too.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"personne {version('personne')}")
        raise typer.Exit


@app.callback()
def about(
    *,
    shown: Annotated[  # the callback has done it
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Which one this is.")
    ] = False,
) -> None:
    """For all commands."""


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
    open: Open = None,  # noqa: A002  # of the builtin nothing is needed here
) -> None:
    """Web and worker in one process."""
    settings = settings_of(**locals())
    need(app="fastapi", worker="onnxruntime")
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
    open: Open = None,  # noqa: A002  # of the builtin nothing is needed here
) -> None:
    """The web alone, with workers behind Redis."""
    settings = settings_of(**locals())
    need(app="fastapi")
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
    settings = settings_of(**locals())
    need(worker="onnxruntime")
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
    settings = settings_of(queue=queue)
    from personne.commands.check_health import check_web, check_worker

    typer.echo(check_worker(settings) if worker else check_web(url or settings.own_livez))


# Without a name: its commands stand beside these.
app.add_typer(cli_models.app)
app.add_typer(cli_doctor.app)
app.command()(cli_directions.edit)
app.command()(cli_morph.morph)
app.add_typer(cli_directions.directions, name="directions")
app.add_typer(cli_training.train, name="train")
app.add_typer(cli_dataset.dataset, name="dataset")
app.add_typer(cli_inversion.app)
app.add_typer(cli_webhooks.app)
app.add_typer(cli_certs.certs, name="certs")
app.add_typer(cli_keys.keys, name="keys")


def main() -> None:
    """`personne`: what its user can put right ends in one sentence and status 2 (an unhealthy service: 1)."""
    try:
        app()
    except USER_ERRORS as error:
        logging.getLogger(__name__).debug("The failure in full:", exc_info=True)
        typer.echo(f"personne: {sentence(error)}", err=True)
        sys.exit(error.exit_status if isinstance(error, FrontDoorError) else 2)
