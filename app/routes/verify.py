"""POST /v1/verify and the page /verify: any picture in, what each of its marks says out."""

from fastapi import APIRouter, Request, Response

from app.errors import (
    PROBLEMS,
    AnimatedPhoto,
    AppError,
    PhotoMissing,
    RepeatedParameter,
    TooManyPixels,
    UnknownParameter,
    UnreadablePhoto,
    UnsupportedPhoto,
    UploadMalformed,
    UploadsBusy,
    UploadTooBig,
    UploadTooSlow,
)
from app.pages import Pages
from app.replies import NEVER, problems_documented, retry_header
from app.routes.translations import PHOTO_BODY
from app.uploads import Uploads
from app.verification import Verifier
from app.verify_schemas import Verification

PROBLEMS_OF_A_FILE = (
    UnknownParameter,
    RepeatedParameter,
    PhotoMissing,
    UploadTooBig,
    UploadTooSlow,
    UploadMalformed,
    UnsupportedPhoto,
    AnimatedPhoto,
    TooManyPixels,
    UnreadablePhoto,
    UploadsBusy,
)


def verify_routes(verifier: Verifier, uploads: Uploads) -> APIRouter:
    """POST /v1/verify."""
    router = APIRouter(tags=["provenance"])

    @router.post(
        "/v1/verify",
        summary="Where a picture comes from",
        responses=problems_documented(*PROBLEMS_OF_A_FILE),
        openapi_extra={"requestBody": PHOTO_BODY},
    )
    async def verification(request: Request, response: Response) -> Verification:
        """What each mark of a file says: its content credentials (who signed it, and whether a byte has changed since),
        its metadata with the recipe, and the watermark in its pixels. The file is kept in memory for as long as that
        takes, and nowhere else; nothing is fetched, whatever it names.
        """
        response.headers["Cache-Control"] = NEVER
        async with uploads.photo_of(request, moving=True) as upload:
            return await verifier.verification(upload.body)

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
            async with uploads.photo_of(request, moving=True) as upload:
                found = await verifier.verification(upload.body)
        except AppError as error:
            problem = PROBLEMS[type(error)]
            context = {"found": None, "problem": problem, "sentence": str(error)}
            return pages.reply("verify.html", context, problem.status, retry_header(problem))
        return pages.reply("verify.html", {"found": found, "problem": None})

    return router
