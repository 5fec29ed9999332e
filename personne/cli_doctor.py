"""The command that looks after itself."""

from typing import Annotated

import typer

from personne.cli_options import Device, Host, Queue, Store, settings_of

app = typer.Typer()


@app.command()
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    host: Host = None,
    queue: Queue = None,
    store: Store = None,
    device: Device = None,
) -> None:
    """Say what is installed, what works and what does not, and how to mend it: exit status 0 or 1."""
    settings = settings_of(host=host, queue=queue, store=store, device=device)
    from personne.commands.doctor import doctor as examine

    examine(settings, as_json=as_json)
