"""The commands about keys."""

from typing import Annotated

import typer

from personne.cli_options import Store, settings_of

keys = typer.Typer(help="Keys that a service asks for.", no_args_is_help=True)
Days = Annotated[int | None, typer.Option(min=1, max=36500, help="Good for so many days.", show_default="for ever")]
Minute = Annotated[int | None, typer.Option(min=0, help="Most units of work a minute.", show_default="the service's")]
Day = Annotated[int | None, typer.Option(min=1, help="Most units of work a day.", show_default="no quota")]


@keys.command()
def new(
    name: Annotated[str, typer.Argument(help="Whose key it is, for the list.")],
    *,
    scopes: Annotated[str, typer.Option(help="read, generate, upload, admin, with commas between.")] = "read,generate",
    days: Days = None,
    per_minute: Minute = None,
    per_day: Day = None,
    store: Store = None,
) -> None:
    """Make a key and print it, once: only its digest is kept."""
    from personne.commands.keys import new_key
    from personne.settings_access import keys_file

    file = keys_file(settings_of(store=store).store)
    sent, key = new_key(file, name, scopes, days=days, per_minute=per_minute, per_day=per_day)
    typer.echo(sent)
    typer.echo(f"Key {key.id} may {', '.join(key.scopes)}. It is not shown again.", err=True)


@keys.command(name="list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False, store: Store = None) -> None:
    """Show the keys that there are: their ids, not the keys themselves."""
    from personne.commands.keys import list_keys
    from personne.settings_access import keys_file

    list_keys(keys_file(settings_of(store=store).store), as_json=as_json)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list, or the beginning of it.")],
    *,
    store: Store = None,
) -> None:
    """Take a key back; a running service refuses it from its next request on."""
    from personne.commands.keys import revoke_key
    from personne.settings_access import keys_file

    key = revoke_key(keys_file(settings_of(store=store).store), key_id)
    typer.echo(f"Key {key.id} ({key.name}) opens nothing any more.")
