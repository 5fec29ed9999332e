"""GET /v1/grids: several faces in one picture."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.config import AppConfig
from app.errands import Errands
from app.errors import GridTooLarge, GridUnclear, SeedOutOfRange
from app.gridding import GridQuery, grid_of
from app.job_replies import accepted_documented, job_reply, pictures_content
from app.negotiation import address_validator, already_has, whole_header
from app.ordering import Ordering
from app.picture_headers import kept
from app.queries import TAKES_ONE_RANGE
from app.replies import not_modified, picture_reply, problems_documented
from app.routes.face import MAKING_PROBLEMS
from jobs.contract import Lane


def grids_routes(config: AppConfig, ordering: Ordering, errands: Errands) -> APIRouter:
    """GET /v1/grids."""
    router = APIRouter(tags=["grids"])

    @router.get(
        "/v1/grids",
        summary="Several faces in one picture",
        response_class=Response,
        responses={
            200: {"description": "The sheet: the same faces for ever.", "content": pictures_content()},
            304: {"description": "What If-None-Match names is still the one."},
            **accepted_documented(),
            **problems_documented(SeedOutOfRange, GridUnclear, GridTooLarge, *MAKING_PROBLEMS),
        },
        openapi_extra=TAKES_ONE_RANGE,
    )
    async def grid(request: Request, query: Annotated[GridQuery, Query()]) -> Response:
        """A contact sheet: faces row by row, without gaps, each the very one that its own address shows.

        Where one attribute is a range, `smile=-2..2`, each face has a row, over which the attribute moves. Immutable,
        as a face's address. It is drawn in the slow lane: the request waits for up to a minute, and is then, or at once
        with `Prefer: respond-async`, told the job's address.
        """
        job, address = grid_of(query, ordering)
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
