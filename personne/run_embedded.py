"""One process: the web, the queue and a worker thread."""

import asyncio
import threading
import time

import uvicorn

from app.web import create_app
from personne.door import check_door
from personne.listening import bind, listen, make_server
from personne.models_here import followed_models
from personne.queue_ends import both_ends
from personne.run_webhooks import told_beside
from personne.settings import Settings
from personne.telemetry import recording
from worker import memory
from worker.loaded_models import LoadedModels
from worker.loop import Worker

LEAST_S = 1.0
"""What a worker is given to end, even where the server has used up the grace."""
GOODBYE_S = 2.0
"""What a worker that has ended takes to close its models."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The web answers at once; /readyz says when the worker is warm.

    Raises KeysNeeded, PortBusy, SettingRefused, ModelsError, and whatever ended the worker.
    """
    check_door(settings)
    listener = bind(settings.host, settings.port)
    memory.keep_flat()
    config = settings.worker_config()
    submitter, source = both_ends(settings, config)
    ending = Ending()
    with followed_models(settings) as shelf, recording(settings, "serve") as record:
        app = create_app(settings.app_config(), submitter, shelf, record, ending)
        server = make_server(app, settings, ending)
        worker = WorkerThread(Worker(config, source, LoadedModels(shelf, config), record=record), server)
        worker.start()
        try:
            with told_beside(settings, submitter):
                listen(server, listener)
        finally:
            # After the server: the requests that it still answered needed the worker.
            worker.stop(max(LEAST_S, settings.stop_grace_s - ending.since_s))
            source.close()
    if worker.error is not None:
        raise worker.error


class Ending(asyncio.Event):
    """That the server was told to end, and since when: server and worker have one grace together."""

    def __init__(self) -> None:
        super().__init__()
        self._at: float | None = None

    def set(self) -> None:
        if self._at is None:
            self._at = time.monotonic()
        super().set()

    @property
    def since_s(self) -> float:
        """0 where nobody told it yet."""
        return 0.0 if self._at is None else time.monotonic() - self._at


class WorkerThread:
    """A worker beside the web. If it ends by an error, the process ends: a web without a worker answers nobody."""

    def __init__(self, worker: Worker, server: uvicorn.Server) -> None:
        self.error: Exception | None = None
        self._worker = worker
        self._server = server
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Returns when the batch in hand is done, or the time is over."""
        self._worker.stop(within_s)
        self._thread.join(GOODBYE_S)

    def _run(self) -> None:
        try:
            self._worker.run()
        except Exception as error:
            self.error = error
            self._server.should_exit = True
