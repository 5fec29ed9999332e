"""GET /teach: the page on which a few dozen clicks make an attribute."""

from fastapi import APIRouter, Request, Response

from app.errors import PROBLEMS, AppError
from app.ordering import Ordering, Wishes, draw_seed
from app.pages import Pages
from app.replies import retry_header
from jobs.contract import PictureFormat
from models.errors import ModelsError
from models.teaching import LEAST_EACH


def teach_page_routes(pages: Pages, ordering: Ordering) -> APIRouter:
    """GET /teach."""
    router = APIRouter(include_in_schema=False)

    @router.get("/teach")
    async def page(request: Request) -> Response:
        """Drawn faces, each with less and more to choose; whatever else the query has is ignored, as on every page."""
        wishes = Wishes(model=request.query_params.get("model") or None)
        try:
            jobs = [ordering.face(draw_seed(), wishes, PictureFormat.JPEG) for _ in range(pages.at_once)]
            model = ordering.catalogue.with_digest(jobs[0].model).generator
        except (AppError, ModelsError) as error:
            problem = PROBLEMS[type(error)]
            context = {"problem": problem, "sentence": str(error)}
            return pages.reply("teach.html", context, problem.status, retry_header(problem))
        faces = [{"seed": job.seed, "address": ordering.address(job)} for job in jobs]
        context = {"problem": None, "model": model, "faces": faces, "least": LEAST_EACH}
        return pages.reply("teach.html", context)

    return router
