"""GET /v1/morphs: a face that turns into another, as a moving picture."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.config import AppConfig
from app.errands import Errands
from app.errors import MorphTooLarge, MorphTooShort, SeedOutOfRange, SeedsUnclear, VideoMissing
from app.job_replies import accepted_documented, job_reply
from app.morphing import MorphQuery, morph_of
from app.negotiation import address_validator, already_has, whole_header
from app.ordering import Ordering
from app.picture_headers import kept
from app.queries import TAKES_ATTRIBUTES
from app.replies import not_modified, picture_reply, problems_documented
from app.routes.face import MAKING_PROBLEMS
from jobs.contract import AnimationFormat, Lane


def morphs_routes(config: AppConfig, ordering: Ordering, errands: Errands) -> APIRouter:
    """GET /v1/morphs."""
    router = APIRouter(tags=["morphs"])

    @router.get(
        "/v1/morphs",
        summary="A face that turns into another",
        response_class=Response,
        responses={
            200: {"description": "The moving picture: the same frames for ever.", "content": animations_content()},
            304: {"description": "What If-None-Match names is still the one."},
            **accepted_documented(),
            **problems_documented(
                *(SeedOutOfRange, SeedsUnclear, MorphTooLarge, MorphTooShort, VideoMissing, *MAKING_PROBLEMS)
            ),
        },
        openapi_extra=TAKES_ATTRIBUTES,
    )
    async def morph(request: Request, query: Annotated[MorphQuery, Query()]) -> Response:
        """Each named face is a frame of it, exactly where the model has a mapping network: the way leads in straight
        lines through w there, and through z along the sphere elsewhere. It runs in the slow lane; a request waits up
        to a minute for it, and is then, or at once with `Prefer: respond-async`, told the job's address.
        """
        job, address = morph_of(query, ordering)
        headers = {
            "Content-Location": address,
            "Cache-Control": kept(job, query.directions),
            "ETag": address_validator(address),
            "Personne-Model": job.model,
            # As of faces: anybody's page may show it.
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if already_has(whole_header(request, "if-none-match"), headers["ETag"]):
            return not_modified(headers)
        job_id = await errands.submit(job, Lane.SLOW, config.job_timeout_s)
        reply = partial(picture_reply, headers=headers)
        return await job_reply(request, errands, job_id, config.translation_wait_s, reply)

    return router


def animations_content() -> dict[str, Any]:
    """OpenAPI `content` of a moving picture."""
    return {one.media_type: {"schema": {"type": "string", "format": "binary"}} for one in AnimationFormat}
