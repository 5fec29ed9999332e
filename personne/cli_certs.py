"""The commands about certificates."""

from typing import Annotated

import typer

from personne.cli_options import Store, need, settings_of

certs = typer.Typer(help="Certificates that sign pictures.", no_args_is_help=True)


@certs.callback()
def _certs() -> None:
    """Certificates that sign pictures."""


@certs.command()
def init(
    *,
    organisation: Annotated[str, typer.Option(help="Whose name stands in the signature.")] = "personne",
    force: Annotated[bool, typer.Option("--force", help="Replace those that are there.")] = False,
    store: Store = None,
) -> None:
    """Make a certificate chain of your own and its key, in the store: pictures leave signed from the next start on."""
    need(marks="cryptography")
    from personne.commands.init_certificates import init_certificates

    files = settings_of(store=store).own_certificate
    init_certificates(files, organisation, force=force)
    typer.echo(
        f"{files[0]} and {files[1].name} are there. Web and workers use them from their next start on. Keep the key to "
        "yourself: whoever has it can sign as you."
    )
