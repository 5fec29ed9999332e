"""GET /v1/models: what there is, and who serves it."""

from fastapi import APIRouter, Response

from app.errands import Errands
from app.errors import UnknownParameter
from app.ordering import Ordering
from app.replies import NEVER, problems_documented
from app.schemas import ListedModel, ListedModels, ServingWorker
from jobs.contract import QueueState
from jobs.errors import QueueUnavailable
from models.catalogue import Catalogue, ModelEntry
from models.manifest import GeneratorManifest


def models_routes(catalogue: Catalogue, ordering: Ordering, errands: Errands) -> APIRouter:
    """GET /v1/models."""
    router = APIRouter(tags=["models"])

    @router.get("/v1/models", summary="All models", responses=problems_documented(UnknownParameter))
    async def models(response: Response) -> ListedModels:
        """What each model is, where it comes from, and which live workers serve it."""
        response.headers["Cache-Control"] = NEVER
        state = await _state(errands)
        default = ordering.default_model.manifest.digest
        return ListedModels(models=[_listed(entry, default, state) for entry in catalogue])

    return router


async def _state(errands: Errands) -> QueueState | None:
    # What a model is does not hang on the queue: the list is given without workers rather than refused.
    try:
        return await errands.state()
    except QueueUnavailable:
        return None


def _listed(entry: ModelEntry, default: str, state: QueueState | None) -> ListedModel:
    manifest = entry.manifest
    return ListedModel(
        name=manifest.name,
        digest=manifest.digest,
        default=manifest.digest == default,
        source=entry.source,
        family=manifest.family,
        resolution=manifest.resolution if isinstance(manifest, GeneratorManifest) else None,
        download_bytes=sum(graph.bytes for graph in manifest.graphs.values()),
        licence=manifest.licence,
        origin=manifest.origin,
        training_data=list(manifest.training_data),
        metrics=manifest.metrics,
        workers=None if state is None else _serving(state, manifest.digest),
    )


def _serving(state: QueueState, digest: str) -> list[ServingWorker]:
    return [
        ServingWorker(id=worker.worker_id, device=worker.device)
        for worker in state.workers
        if worker.ready and digest in worker.models
    ]
