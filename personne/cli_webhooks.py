"""The command that tells webhooks."""

import typer

from personne.cli_options import Queue, need, settings_of

app = typer.Typer()


@app.command()
def webhooks(*, queue: Queue = None) -> None:
    """Tell those who asked for it that their jobs have ended. `personne serve` does it by itself."""
    settings = settings_of(queue=queue)
    need(app="httpx")
    from personne.run_webhooks import run

    run(settings)
