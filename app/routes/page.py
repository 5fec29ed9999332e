"""GET /: the page with one face."""

from base64 import b64encode
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.errands import Errands
from app.errors import INVALID_PARAMETER, PROBLEMS, AppError, ProblemType
from app.ordering import Ordering, draw_seed, plain_number, read_seed
from app.pages import Pages
from app.queries import client_gone
from app.ready_faces import Face, ReadyFaces
from app.replies import retry_header
from app.routes.face import new_face
from app.schemas import PageQuery
from jobs.contract import GenerateJob, Lane, PictureFormat
from jobs.errors import JobsError
from models.abilities import MOST_DEGREES, MOST_SHIFT, takes_truncation
from models.errors import ModelsError
from models.manifest import GeneratorManifest

MOST_LISTED = 200
"""More classes than these are asked for by number: the page stays small."""
SLIDERS = (
    ("rotate", "Turn", f"{MOST_DEGREES:g}", "0.5"),
    ("translate_x", "Across", f"{MOST_SHIFT:g}", "0.005"),
    ("translate_y", "Down", f"{MOST_SHIFT:g}", "0.005"),
)


def page_routes(pages: Pages, ordering: Ordering, ready: ReadyFaces, errands: Errands) -> APIRouter:
    """GET /."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        """A new face, or the one that the query names; the picture is in the page, so that both are one request."""
        try:
            query = PageQuery.model_validate(dict(request.query_params))
            query = query.only(ordering.attributes(query.model))
            face = _shown(await _face(query, request))
        except ValidationError as error:
            sentence = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
            return _without_face(pages, INVALID_PARAMETER, sentence)
        except (AppError, JobsError, ModelsError) as error:
            return _without_face(pages, PROBLEMS[type(error)], str(error))
        again = _again(query)
        context = {"face": face, "problem": None, "next": f"/face{again}", "next_page": f"/{again}"}
        return pages.reply("face.html", context)

    async def _face(query: PageQuery, request: Request) -> Face:
        if query.seed is None:
            job = ordering.face(draw_seed(), query.wishes, PictureFormat.JPEG)
            return await new_face(job, request, ready, errands)
        job = ordering.face(read_seed(query.seed), query.wishes, PictureFormat.JPEG)
        return Face(job, await errands.run(job, Lane.QUICK, partial(client_gone, request)))

    def _shown(face: Face) -> dict[str, Any]:
        job, here = face.job, ordering.catalogue
        generators = [entry.manifest for entry in here if isinstance(entry.manifest, GeneratorManifest)]
        model = here.with_digest(job.model).generator
        return {
            "seed": job.seed,
            "spare": face.spare,
            "side": job.size,
            "address": ordering.address(job),
            "page": ordering.page_address(job),
            "data": f"data:{face.result.media_type};base64,{b64encode(face.result.body).decode()}",
            "model": model,
            "models": generators if len(generators) > 1 else [],
            "psi": plain_number(job.truncation_psi) if takes_truncation(model) else None,
            "look": _look(model, job),
        }

    return router


def _look(model: GeneratorManifest, job: GenerateJob) -> dict[str, Any] | None:
    """What the page lets a person choose of a face; None where there is nothing to choose."""
    if not model.c_dim and not model.takes_transform:
        return None
    numbers = [str(label) for label in range(model.c_dim)]
    return {
        "classes": list(model.class_names or numbers) if model.c_dim <= MOST_LISTED else [],
        "largest": model.c_dim - 1 if model.c_dim else None,
        "label": job.label,
        "sliders": [
            {"name": name, "title": title, "most": most, "step": step, "value": plain_number(getattr(job, name))}
            for name, title, most, step in SLIDERS
            if model.takes_transform
        ],
    }


def _again(query: PageQuery) -> str:
    """The query for more faces of this kind: none, and so from the pool, unless the page's address asks others."""
    wishes = query.model_dump(exclude={"seed"}, exclude_none=True, by_alias=True)
    return f"?{urlencode(wishes)}" if wishes else ""


def _without_face(pages: Pages, problem: ProblemType, sentence: str) -> Response:
    context = {"face": None, "problem": problem, "sentence": sentence, "next": "/face", "next_page": "/"}
    return pages.reply("face.html", context, problem.status, retry_header(problem))
