"""What benchmarks/web.py compares with: one FastAPI handler that makes a face in a thread, and nothing else."""

from secrets import randbelow

from fastapi import FastAPI, Response

from jobs.contract import GenerateJob, PictureFormat
from personne.listening import bind, listen, make_server
from personne.models_here import models_here
from personne.settings import Settings
from worker.loaded_model import LoadedGenerator
from worker.loaded_models import LoadedModels
from worker.tasks.generate import GenerateTask


def run(settings: Settings) -> None:
    """Serve /face, /readyz and /metrics until terminated."""
    catalogue = models_here(settings)
    digest = catalogue.named(settings.default_model).manifest.digest
    models = LoadedModels(catalogue, settings.worker_config())
    models.open()
    task, app, size = GenerateTask(), FastAPI(), catalogue.with_digest(digest).generator.resolution

    @app.get("/face")
    def face() -> Response:
        job = GenerateJob(digest, randbelow(2**32), settings.default_psi, size, PictureFormat.JPEG)
        with models.held(digest) as model:
            if not isinstance(model, LoadedGenerator):
                raise TypeError(f"{settings.default_model} generates no faces")
            picture = task.run(task.prepare([job], model), model)[0]
        encoded = task.finish(job, picture)
        return Response(encoded.body, media_type=encoded.media_type, headers={"Cache-Control": "no-store"})

    @app.get("/readyz")
    @app.get("/metrics")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    listen(make_server(app, settings), bind(settings.host, settings.port))
