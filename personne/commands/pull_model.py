"""personne pull: a well-known published checkpoint, downloaded and imported."""

from functools import partial

from rich.console import Console
from rich.table import Table

from models.catalogue import ModelEntry
from models.pulling import PublishedModel, downloading, published, published_models
from models.store import Store, check_name
from personne.commands.import_model import ImportOptions, import_model
from personne.errors import LicenceNotAccepted
from personne.progress import shown_download


def pull_model(
    name: str, store: Store, *, accept_licence: bool, called: str | None = None, force: bool = False
) -> tuple[ModelEntry, tuple[str, ...]]:
    """The model that a checkpoint of the table has become, and what to know of it.

    called: its name in the store, where it is to be another. Raises LicenceNotAccepted, ModelsError.
    """
    model = published(name)
    if not accept_licence:
        raise LicenceNotAccepted(model.title, model.licence, model.licence_url)
    called = check_name(called or model.name)
    with downloading(model, store.downloads, partial(_tell_of_waiting, model)) as download:
        # Whoever was waited for may have taken the name.
        if not force:
            store.check_free(called)
        with shown_download(model.title) as report:
            path = download(report)
        made = import_model(path, store, _options(model, called, force))
        # It stays when the import is refused or interrupted, so that the next attempt need not fetch it again.
        path.unlink()
    return made


def _tell_of_waiting(model: PublishedModel) -> None:
    said = f"Another process is pulling {model.name}; this one waits until it is done."
    Console(stderr=True).print(said, markup=False, highlight=False, soft_wrap=True)


def list_published() -> None:
    """Print the table."""
    console = Console()
    table = Table("name", "what it is", "size", "licence")
    for model in published_models().values():
        size = "not stated" if model.bytes is None else f"{model.bytes / 1e6:.0f} MB"
        table.add_row(model.name, model.title, size, model.licence)
    console.print(table)


def _options(model: PublishedModel, called: str, force: bool) -> ImportOptions:
    return ImportOptions(
        name=called,
        kind=model.kind,
        licence=f"{model.licence}: {model.licence_url}",
        title=model.title,
        origin=f"published at {model.url}",
        force=force,
    )
