"""What commands of the command line share: their options, the settings that these become, what must be installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from personne.errors import ExtraMissing

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
Open = Annotated[
    bool | None,
    typer.Option("--open/--keyed", help="Let everybody in, or only with a key.", show_default=False),
]
Names = Annotated[str | None, typer.Option(help="Models to load, with commas between (all).", show_default=False)]


def settings_of(**options: Any) -> "Settings":
    """The settings that the environment and these options make, with logging set up by them."""
    from personne.logs import configure_logging
    from personne.settings import read_settings

    settings = read_settings(**options)
    configure_logging(settings)
    return settings


def need(**module_of_extra: str) -> None:
    """Raise ExtraMissing for the first extra whose module is not installed."""
    for extra, module in module_of_extra.items():
        if find_spec(module) is None:
            raise ExtraMissing(module, extra)


def tell(entry: "ModelEntry", notes: tuple[str, ...]) -> None:
    """Say which model there is now, and what was noticed on the way."""
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(f"{entry.manifest.name} ({entry.manifest.digest}) is in {entry.folder}.")
