"""The web alone; its workers are elsewhere, behind Redis."""

import asyncio

from app.web import create_app
from personne.door import check_door
from personne.listening import bind, listen, make_server
from personne.models_here import followed_models
from personne.queue_ends import submitter
from personne.settings import Settings
from personne.telemetry import recording


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises KeysNeeded, PortBusy, SettingRefused, ModelsError."""
    check_door(settings)
    queue = submitter(settings)
    listener = bind(settings.host, settings.port)
    ending = asyncio.Event()
    with followed_models(settings) as shelf, recording(settings, "web") as record:
        app = create_app(settings.app_config(), queue, shelf, record, ending)
        listen(make_server(app, settings, ending), listener)
