"""The models of the bundle and of the store, with a line in the log for each that cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

from models.catalogue import Catalogue
from models.live_catalogue import LiveCatalogue
from personne.settings import Settings


def models_here(settings: Settings) -> Catalogue:
    """Every usable model, as it is now."""
    return LiveCatalogue(settings.store).now


@contextmanager
def followed_models(settings: Settings) -> Iterator[LiveCatalogue]:
    """Every usable model; while this lasts, what is put into the store or taken away is noticed."""
    with LiveCatalogue(settings.store).followed() as shelf:
        yield shelf
