"""Before anything listens: whether those whom the settings let in are those who should be."""

import logging

from app.access.keys_file import KeyFile
from app.errors.access import KeysUnreadable
from personne.errors import KeysNeeded, SettingRefused
from personne.settings import Settings
from personne.settings_access import is_loopback, keys_file

_log = logging.getLogger(__name__)


def check_door(settings: Settings) -> None:
    """Raises KeysNeeded where keys would be asked for and there are none, SettingRefused where they cannot be read."""
    if not settings.asks_for_keys(settings.host):
        if not is_loopback(settings.host):
            _log.warning("%s is open: whoever reaches it may do everything.", settings.host)
        return
    try:
        keys = KeyFile(keys_file(settings.store)).ring
    except KeysUnreadable as error:
        raise SettingRefused(f"{error} `personne doctor` says more.") from None
    if not len(keys):
        raise KeysNeeded(settings.host)
