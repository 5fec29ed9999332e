"""/translate: the page that takes a photo and shows it in another style."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from app.config import AppConfig
from app.errands import Errands
from app.errors import INVALID_PARAMETER, PROBLEMS, AppError, ProblemType
from app.job_replies import shown
from app.job_schemas import JobShown
from app.ordering import Ordering
from app.pages import Pages
from app.replies import retry_header
from app.routes.styles import listed_styles
from app.translating import Translating
from app.translation_schemas import TranslationQuery
from jobs.contract import JobId
from jobs.errors import JobsError
from models.errors import ModelsError

REFRESH_S = 2
"""How often a page without script looks again."""
SEE_OTHER = 303


class TranslatePageQuery(BaseModel):
    """What the page's address may say; links collect other parameters, and those are ignored."""

    job: str | None = None
    style: str | None = None


class TranslatePage:
    """The page, with the form and what there is to see above it."""

    def __init__(self, config: AppConfig, pages: Pages, ordering: Ordering) -> None:
        self._pages = pages
        self._ordering = ordering
        self._limits = {
            "most_mib": f"{config.max_upload_bytes / 2**20:.3g}",
            "most_megapixels": config.max_photo_pixels // 10**6,
        }

    def showing(self, style: str | None, job: JobShown | None = None) -> Response:
        """The page with a style chosen, and a job's progress, picture or problem."""
        return self._pages.reply("translate.html", self._context(style) | {"job": job})

    def refusing(self, style: str | None, problem: ProblemType, sentence: str) -> Response:
        """The page with what was wrong."""
        context = self._context(style) | {"problem": problem, "sentence": sentence}
        return self._pages.reply("translate.html", context, problem.status, retry_header(problem))

    def _context(self, style: str | None) -> dict[str, Any]:
        styles = listed_styles(self._ordering, None)
        known = {name for listed in styles for name in (listed.name, listed.digest)}
        first = styles[0].name if styles else None
        chosen = style if style in known else first
        said = {"styles": styles, "chosen": chosen, "job": None, "problem": None, "refresh_s": REFRESH_S}
        return said | self._limits


def translate_page_routes(page: TranslatePage, errands: Errands, translating: Translating) -> APIRouter:
    """GET and POST /translate."""
    router = APIRouter(include_in_schema=False)

    @router.get("/translate")
    async def shown_page(query: Annotated[TranslatePageQuery, Query()]) -> Response:
        """The form, and above it the job that the address names."""
        if query.job is None:
            return page.showing(query.style)
        try:
            status = await errands.status(JobId(query.job))
        except (AppError, JobsError) as error:
            return page.refusing(query.style, PROBLEMS[type(error)], str(error))
        return page.showing(query.style, shown(JobId(query.job), status))

    @router.post("/translate")
    async def translated(request: Request) -> Response:
        """Without script: the photo is taken, and the browser is sent to where its job can be watched."""
        style = request.query_params.get("style")
        try:
            query = TranslationQuery.model_validate(dict(request.query_params))
            job_id, _ = await translating.submit(request, query)
        except ValidationError as error:
            sentence = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
            return page.refusing(style, INVALID_PARAMETER, sentence)
        except (AppError, JobsError, ModelsError) as error:
            return page.refusing(style, PROBLEMS[type(error)], str(error))
        return RedirectResponse(f"/translate?{urlencode({'style': query.style, 'job': job_id})}", SEE_OTHER)

    return router
