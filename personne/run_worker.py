"""A worker alone; the web is elsewhere, behind Redis."""

import logging
import signal

from personne.models_here import followed_models
from personne.queue_ends import source
from personne.settings import Settings
from personne.telemetry import recording
from worker import memory
from worker.loaded_models import LoadedModels
from worker.loop import Worker

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; then finish the batch in hand and give back the rest.

    Raises SettingRefused, ModelsError, WorkerError, and what is a bug.
    """
    memory.keep_flat()
    config = settings.worker_config()
    queue = source(settings, config)
    with followed_models(settings) as shelf, recording(settings, "worker") as record:
        worker = Worker(config, queue, LoadedModels(shelf, config), record=record)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        _log.info("worker %s takes %s", config.worker_id, ", ".join(config.lanes))
        try:
            worker.run()
        finally:
            queue.close()
