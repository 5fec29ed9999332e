"""/livez, /readyz and /metrics: for probes and Prometheus."""

from fastapi import APIRouter, Response

from app.errands import Errands
from app.errors import ModelNotLoaded, UnknownParameter
from app.metrics import Meters
from app.ordering import Ordering
from app.replies import NEVER, problems_documented
from app.schemas import Alive, Ready
from jobs.contract import QueueState
from jobs.errors import QueueUnavailable
from models.errors import ModelNotFound

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def health_routes(ordering: Ordering, errands: Errands, meters: Meters) -> APIRouter:
    """GET /livez, /readyz, /metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez", summary="Is the web process alive?", responses=problems_documented(UnknownParameter))
    async def livez(response: Response) -> Alive:
        """Never touches the queue: a dead queue is no reason to restart the web."""
        response.headers["Cache-Control"] = NEVER
        return Alive()

    @router.get(
        "/readyz",
        summary="Can faces be made?",
        responses=problems_documented(UnknownParameter, ModelNotLoaded, QueueUnavailable),
    )
    async def readyz(response: Response) -> Ready:
        """200 only while a warm worker serves the default model."""
        response.headers["Cache-Control"] = NEVER
        name = ordering.default_name
        try:
            digest = ordering.default_model.manifest.digest
        except ModelNotFound:
            raise ModelNotLoaded(name) from None
        if not await errands.served(digest, warm=True):
            raise ModelNotLoaded(name)
        return Ready(model=name)

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses={
            200: {"description": "The text exposition.", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **problems_documented(UnknownParameter),
        },
    )
    async def metrics() -> Response:
        """Answers while the queue is down as well, with `personne_queue_up 0`."""
        state: QueueState | None
        try:
            state = await errands.state()
        except QueueUnavailable:
            state = None
        return Response(meters.scrape(state), headers={"Cache-Control": NEVER}, media_type=EXPOSITION)

    return router
