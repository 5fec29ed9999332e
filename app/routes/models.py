"""GET /v1/models: what there is, and who serves it."""

from fastapi import APIRouter, Response

from app.errands import Errands
from app.errors import UnknownParameter
from app.ordering import Ordering
from app.replies import NEVER, problems_documented
from app.schemas import Abilities, Labels, ListedModel, ListedModels, ServingWorker
from jobs.contract import QueueState
from jobs.errors import QueueUnavailable
from models.abilities import methods_of, takes_truncation
from models.catalogue import ModelEntry
from models.manifest import GeneratorManifest


def models_routes(ordering: Ordering, errands: Errands) -> APIRouter:
    """GET /v1/models."""
    router = APIRouter(tags=["models"])

    @router.get("/v1/models", summary="All models", responses=problems_documented(UnknownParameter))
    async def models(response: Response) -> ListedModels:
        """What each model is and can do, where it comes from, its licence, and which live workers serve it."""
        response.headers["Cache-Control"] = NEVER
        state = await _state(errands)
        default = ordering.default_name
        return ListedModels(models=[_listed(entry, default, state) for entry in ordering.catalogue])

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
        default=manifest.name == default,
        source=entry.source,
        kind="generator" if isinstance(manifest, GeneratorManifest) else "translator",
        family=manifest.family,
        can=_abilities(manifest) if isinstance(manifest, GeneratorManifest) else None,
        resolution=manifest.resolution if isinstance(manifest, GeneratorManifest) else None,
        download_bytes=sum(graph.bytes for graph in manifest.graphs.values()),
        licence=manifest.licence,
        origin=manifest.origin,
        training_data=list(manifest.training_data),
        metrics=manifest.metrics,
        workers=None if state is None else _serving(state, manifest.digest),
    )


def _abilities(manifest: GeneratorManifest) -> Abilities:
    labels = Labels(count=manifest.c_dim, names=list(manifest.class_names)) if manifest.c_dim else None
    return Abilities(
        truncation=takes_truncation(manifest),
        labels=labels,
        transform=manifest.takes_transform,
        inversion=methods_of(manifest),
    )


def _serving(state: QueueState, digest: str) -> list[ServingWorker]:
    return [
        ServingWorker(id=worker.worker_id, device=worker.device, warm=digest in worker.warm)
        for worker in state.workers
        if worker.ready and digest in worker.models
    ]
