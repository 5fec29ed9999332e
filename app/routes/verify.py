"""POST /v1/verify and the page /verify: any picture in, what each of its marks says out."""

from fastapi import APIRouter, Request, Response

from app.errors import (
    PROBLEMS,
    AppError,
)
from app.pages import Pages
from app.replies import NEVER, problems_documented, retry_header
from app.uploads import UPLOAD_PROBLEMS, Uploads
from app.verification import Verifier
from app.verify_schemas import Verification

_BINARY = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {"photo": _BINARY}, "required": ["photo"]}
FILE_BODY = {
    "required": True,
    "description": "The picture, moving or not: JPEG, PNG, WebP, GIF or MP4, as it is or as a form's part `photo`.",
    "content": {
        "multipart/form-data": {"schema": _FORM},
        **{kind: {"schema": _BINARY} for kind in ("image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4")},
    },
}


def verify_routes(verifier: Verifier, uploads: Uploads) -> APIRouter:
    """POST /v1/verify."""
    router = APIRouter(tags=["provenance"])

    @router.post(
        "/v1/verify",
        summary="Where a picture comes from",
        responses=problems_documented(*UPLOAD_PROBLEMS),
        openapi_extra={"requestBody": FILE_BODY},
    )
    async def verification(request: Request, response: Response) -> Verification:
        """What each mark of a file says: its content credentials (who signed it, and whether a byte has changed since),
        its metadata with the recipe, and the watermark in its pixels. The file is kept in memory for as long as that
        takes, and nowhere else; nothing is fetched, whatever it names.
        """
        response.headers["Cache-Control"] = NEVER
        async with uploads.file_of(request) as body:
            return await verifier.verification(body)

    return router


def verify_page_routes(pages: Pages, verifier: Verifier, uploads: Uploads) -> APIRouter:
    """GET and POST /verify."""
    router = APIRouter(include_in_schema=False)

    @router.get("/verify")
    async def page() -> Response:
        """The form."""
        return pages.reply("verify.html", {"found": None, "problem": None})

    @router.post("/verify")
    async def verified(request: Request) -> Response:
        """What was found, above the form for the next file."""
        try:
            async with uploads.file_of(request) as body:
                found = await verifier.verification(body)
        except AppError as error:
            problem = PROBLEMS[type(error)]
            context = {"found": None, "problem": problem, "sentence": str(error)}
            return pages.reply("verify.html", context, problem.status, retry_header(problem))
        return pages.reply("verify.html", {"found": found, "problem": None})

    return router
