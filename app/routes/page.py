"""GET /: the page with one face."""

from base64 import b64encode
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.errands import Errands
from app.errors import INVALID_PARAMETER, PROBLEMS, AppError, ProblemType
from app.ordering import Ordering, Wishes, draw_seed, read_seed
from app.pages import Pages
from app.queries import client_gone
from app.ready_faces import Face, ReadyFaces
from app.replies import retry_header
from app.routes.face import new_face
from app.schemas import PageQuery
from jobs.contract import Lane, PictureFormat
from jobs.errors import JobsError
from models.errors import ModelsError


def page_routes(pages: Pages, ordering: Ordering, ready: ReadyFaces, errands: Errands) -> APIRouter:
    """GET /."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        """A new face, or the one that the query names; the picture is in the page, so that both are one request."""
        try:
            query = PageQuery.model_validate(dict(request.query_params))
            face = await _face(query, request)
        except ValidationError as error:
            sentence = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
            return _without_face(pages, INVALID_PARAMETER, sentence)
        except (AppError, JobsError, ModelsError) as error:
            return _without_face(pages, PROBLEMS[type(error)], str(error))
        return pages.reply("face.html", {"face": _shown(face), "problem": None, "next": _next_address(query)})

    async def _face(query: PageQuery, request: Request) -> Face:
        wishes = Wishes(query.model, query.truncation_psi)
        if query.seed is None:
            job = ordering.face(draw_seed(), wishes, PictureFormat.JPEG)
            return await new_face(job, request, ready, errands)
        job = ordering.face(read_seed(query.seed), wishes, PictureFormat.JPEG)
        return Face(job, await errands.run(job, Lane.QUICK, partial(client_gone, request)))

    def _shown(face: Face) -> dict[str, Any]:
        return {
            "seed": face.job.seed,
            "side": face.job.size,
            "address": ordering.address(face.job),
            "page": ordering.page_address(face.job),
            "data": f"data:{face.result.media_type};base64,{b64encode(face.result.body).decode()}",
        }

    return router


def _next_address(query: PageQuery) -> str:
    """Where the script gets more faces of this kind: those of the pool, unless the page's address asks others."""
    wishes = query.model_dump(include={"model", "truncation_psi"}, exclude_none=True)
    return "/face" + ("?" + "&".join(f"{name}={value}" for name, value in wishes.items()) if wishes else "")


def _without_face(pages: Pages, problem: ProblemType, sentence: str) -> Response:
    context = {"face": None, "problem": problem, "sentence": sentence, "next": "/face"}
    return pages.reply("face.html", context, problem.status, retry_header(problem))
