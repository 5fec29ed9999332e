"""POST /v1/edits with a photo: the same address as for seeds and latents, told apart by the body's type."""

from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from app.access.guard import ask_for
from app.access.keys import Scope as KeyScope
from app.config import AppConfig
from app.errands import Errands
from app.job_replies import job_reply
from app.photo_editing import EDIT_PART, PhotoEditing, PhotoEditRequest
from app.replies import picture_reply
from app.uploads import PART

PHOTO_TYPES = ("multipart/form-data", "image/")
PHOTO_FORM = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                PART: {"type": "string", "format": "binary"},
                EDIT_PART: PhotoEditRequest.model_json_schema(ref_template="#/components/schemas/{model}"),
            },
            "required": [PART],
        },
        "encoding": {EDIT_PART: {"contentType": "application/json"}},
    }
}
"""How OpenAPI describes the body, beside the JSON of other edits."""


class PhotoRoute(APIRoute):
    """A route for bodies that are a photo or a form; others go on to the next of the same address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        kind = Headers(scope=scope).get("content-type", "").lower() if match is Match.FULL else ""
        return (match, child) if kind.startswith(PHOTO_TYPES) else (Match.NONE, {})


def photo_edits_routes(config: AppConfig, errands: Errands, editing: PhotoEditing) -> APIRouter:
    """POST /v1/edits for forms and photos. It must stand before the route for JSON."""
    router = APIRouter(tags=["edits"], route_class=PhotoRoute)

    @router.post("/v1/edits", response_class=Response, include_in_schema=False)
    async def edit(request: Request) -> Response:
        # The address is open to whoever may make faces; photos are more than that.
        ask_for(KeyScope.UPLOAD)
        job_id, job = await editing.submit(request)
        reply = partial(picture_reply, headers={"Personne-Model": job.model, "Vary": "Accept"})
        return await job_reply(request, errands, job_id, config.translation_wait_s, reply)

    return router
