"""GET /: the page with one face."""

from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.editing import stored_latent
from app.errands import Errands
from app.errors import INVALID_PARAMETER, PROBLEMS, AppError, ProblemType, RequestTimedOut
from app.face_page import ShownFace, told
from app.ordering import Ordering, draw_seed, read_seed
from app.pages import Pages
from app.queries import client_gone
from app.ready_faces import ReadyFaces
from app.replies import retry_header
from app.routes.face import new_face
from app.schemas import PageQuery
from jobs.contract import LATENT, JobId, Lane, PictureFormat
from jobs.errors import JobsError
from models.errors import ModelsError

LATENT_WAIT_S = 30.0


def page_routes(pages: Pages, ordering: Ordering, ready: ReadyFaces, errands: Errands) -> APIRouter:
    """GET /."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        """A new face, or the one that the query names; the picture is in the page, so that both are one request."""
        try:
            query = PageQuery.model_validate(dict(request.query_params))
            query = query.only(ordering.attributes(query.model))
            face = told(await _face(query, request), ordering)
        except ValidationError as error:
            sentence = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
            return _without_face(pages, INVALID_PARAMETER, sentence)
        except (AppError, JobsError, ModelsError) as error:
            return _without_face(pages, PROBLEMS[type(error)], str(error))
        again = _again(query)
        context = {"face": face, "problem": None, "next": f"/face{again}", "next_page": f"/{again}"}
        return pages.reply("face.html", context)

    async def _face(query: PageQuery, request: Request) -> ShownFace:
        if query.latent is not None:
            return await _face_of_latent(query, query.latent, request, ordering, errands)
        to = None if query.to is None else read_seed(query.to)
        if query.seed is None:
            new = ordering.face(draw_seed(), query.wishes, PictureFormat.JPEG)
            made = await new_face(new, request, ready, errands)
            return ShownFace(made.job, made.result, spare=made.spare, to=to)
        job = ordering.face(read_seed(query.seed), query.wishes, PictureFormat.JPEG)
        return ShownFace(job, await errands.run(job, Lane.QUICK, partial(client_gone, request)), to=to)

    return router


async def _face_of_latent(
    query: PageQuery, latent: str, request: Request, ordering: Ordering, errands: Errands
) -> ShownFace:
    """What an inversion found in somebody's photo, as long as it is kept."""
    stored = await stored_latent(errands, JobId(latent))
    job = ordering.stored_face(replace(query.wishes, model=stored.model), PictureFormat.JPEG)
    job_id = await errands.submit(job, Lane.QUICK, LATENT_WAIT_S, {LATENT: stored.ws}, events=False)
    result = await errands.wait(job_id, LATENT_WAIT_S, partial(client_gone, request))
    if result is None:
        await errands.erase(job_id)
        raise RequestTimedOut(LATENT_WAIT_S)
    return ShownFace(job, result, latent=latent)


def _again(query: PageQuery) -> str:
    """The query for more faces of this kind: none, and so from the pool, unless the page's address asks others."""
    wishes = query.model_dump(exclude={"seed", "latent", "to"}, exclude_none=True, by_alias=True)
    return f"?{urlencode(wishes, safe=':')}" if wishes else ""


def _without_face(pages: Pages, problem: ProblemType, sentence: str) -> Response:
    context = {"face": None, "problem": problem, "sentence": sentence, "next": "/face", "next_page": "/"}
    return pages.reply("face.html", context, problem.status, retry_header(problem))
