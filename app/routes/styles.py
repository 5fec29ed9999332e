"""/v1/styles: what photos can be translated to, with a picture before and after."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from app.errands import Errands
from app.errors import NOT_FOUND, UnknownParameter
from app.ordering import Ordering
from app.replies import NEVER, problems_documented
from app.translation_schemas import ListedStyle, ListedStyles, Thumbnails
from jobs.contract import Lane, QueueState
from jobs.errors import QueueUnavailable
from models.catalogue import ModelEntry
from models.errors import ModelNotFound
from models.manifest import TranslatorManifest

AN_HOUR = "public, max-age=3600"
"""A model's thumbnails may be drawn anew without another digest."""
Digest = Annotated[
    str, Path(description="Digest of the style.", examples=["0f1e2d3c4b5a6978"], pattern="^[0-9a-f]{16}$")
]
Moment = Annotated[Literal["before", "after"], Path(description="The photo, or its translation.", examples=["after"])]


def styles_routes(ordering: Ordering, errands: Errands) -> APIRouter:
    """GET /v1/styles and /v1/styles/{digest}/{moment}.jpg."""
    router = APIRouter(prefix="/v1/styles", tags=["translations"])

    @router.get("", summary="All styles", responses=problems_documented(UnknownParameter))
    async def styles(response: Response) -> ListedStyles:
        """What `style` may be in /v1/translations, and what each looks like."""
        response.headers["Cache-Control"] = NEVER
        try:
            state = await errands.state()
        except QueueUnavailable:
            state = None
        return ListedStyles(styles=listed_styles(ordering, state))

    @router.get(
        "/{digest}/{moment}.jpg",
        summary="A picture of a style",
        response_class=Response,
        responses={
            200: {
                "description": "The picture.",
                "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            },
            **problems_documented(UnknownParameter, ModelNotFound, NOT_FOUND),
        },
    )
    async def thumbnail(digest: Digest, moment: Moment) -> Response:
        """A small photo, or what the style makes of it."""
        path = ordering.catalogue.with_digest(digest).folder / f"{moment}.jpg"
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": AN_HOUR})

    return router


def listed_styles(ordering: Ordering, state: QueueState | None) -> list[ListedStyle]:
    """All styles that there are now. state: of the queue, where it could be asked."""
    found = [entry for entry in ordering.catalogue if isinstance(entry.manifest, TranslatorManifest)]
    return [_listed(entry, state) for entry in found]


def _listed(entry: ModelEntry, state: QueueState | None) -> ListedStyle:
    manifest = entry.translator
    address = f"/v1/styles/{manifest.digest}"
    drawn = all((entry.folder / f"{moment}.jpg").is_file() for moment in ("before", "after"))
    return ListedStyle(
        name=manifest.name,
        title=manifest.title or manifest.name,
        digest=manifest.digest,
        task=manifest.task,
        scale=manifest.scale,
        licence=manifest.licence,
        origin=manifest.origin,
        thumbnails=Thumbnails(before=f"{address}/before.jpg", after=f"{address}/after.jpg") if drawn else None,
        ready=None if state is None else _is_served(state, manifest.digest),
    )


def _is_served(state: QueueState, digest: str) -> bool:
    return any(worker.ready and digest in worker.models and Lane.SLOW in worker.lanes for worker in state.workers)
