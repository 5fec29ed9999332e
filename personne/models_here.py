"""The models of the bundle and of the store, with a warning for each that cannot be used."""

import logging

from models.catalogue import Catalogue, find_models
from personne.settings import Settings

_log = logging.getLogger(__name__)


def models_here(settings: Settings) -> Catalogue:
    """Every usable model."""
    catalogue = find_models(settings.store)
    for refusal in catalogue.refusals:
        _log.warning("%s", refusal.reason)
    return catalogue
