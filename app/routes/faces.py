"""/v1/faces: the face of a seed for ever, and several drawn at once."""

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from app.errands import Errands
from app.errors import INVALID_PARAMETER, NoFormatAccepted, SeedOutOfRange, SizeOutOfRange, UnknownParameter
from app.job_replies import accepted_documented, job_reply
from app.negotiation import already_has, negotiate, whole_header
from app.ordering import Ordering, draw_seed, read_seed, validator
from app.picture_headers import PictureHeaders
from app.preferences import read_preferences
from app.queries import TAKES_ATTRIBUTES, TAKES_RANGES, client_gone
from app.replies import (
    NEVER,
    not_modified,
    picture_documented,
    picture_reply,
    problems_documented,
)
from app.routes.face import MAKING_PROBLEMS
from app.schemas import DrawnFace, DrawnFaces, FaceQuery, PermanentQuery, json_safe
from jobs.contract import GenerateJob, Lane, PictureFormat
from models.errors import (
    AttributeOutOfRange,
    DirectionsGone,
    EditRefused,
    MixRefused,
    ModelCannot,
    ModelNotFound,
    NoSuchAttribute,
    NoSuchClass,
    WrongKindOfModel,
)
from models.mixing import mix_text, neighbour_of
from models.ranges import RANGE, drawn_edits, read_range

Seed = Annotated[str, Path(description="A whole number from 0 to 2^64 - 1.", examples=["7"])]
Extension = Annotated[PictureFormat, Path(description="The picture's format.", examples=["png"])]
StrengthRange = Annotated[str, Field(pattern=RANGE)]
DEFAULT_COUNT = 10
JOB_TIMEOUT_S, LONGEST_WAIT_S = 900.0, 60.0
"""Of faces that are asked for with a Prefer header."""


def faces_routes(ordering: Ordering, errands: Errands, max_faces: int) -> APIRouter:
    """GET /v1/faces, /v1/faces/{seed} and /v1/faces/{seed}.{extension}. max_faces: most that are drawn at once."""
    router = APIRouter(prefix="/v1/faces", tags=["faces"])
    _add_drawing(router, ordering, max_faces)

    async def face_of(job: GenerateJob, request: Request, query: PermanentQuery, *, negotiated: bool) -> Response:
        headers = PictureHeaders(job, ordering.address(job), negotiated, query.directions).permanent()
        if already_has(whole_header(request, "if-none-match"), validator(job)):
            return not_modified(headers)
        if read_preferences(whole_header(request, "prefer")).said:
            # Whoever says so may be given an address instead of the picture; to all others it stays a picture.
            job_id = await errands.submit(job, Lane.QUICK, JOB_TIMEOUT_S)
            return await job_reply(request, errands, job_id, LONGEST_WAIT_S, partial(picture_reply, headers=headers))
        return picture_reply(await errands.run(job, Lane.QUICK, partial(client_gone, request)), headers)

    @router.get(
        "/{seed}.{extension}",
        summary="The face of a seed, in a format",
        response_class=Response,
        responses={
            **picture_documented("That face: the same pixels for ever.", permanent=True),
            304: {"description": "The picture that If-None-Match names is still the one."},
            **accepted_documented(),
            **problems_documented(SeedOutOfRange, *MAKING_PROBLEMS),
        },
        openapi_extra=TAKES_ATTRIBUTES,
    )
    async def face_in_format(
        request: Request, seed: Seed, extension: Extension, query: Annotated[PermanentQuery, Query()]
    ) -> Response:
        """Immutable. With the model's digest in `model=` and `truncation_psi=` given, as in every address that this
        service writes, it stays true whatever the defaults become.
        """
        job = ordering.face(read_seed(seed), query.wishes, extension)
        return await face_of(job, request, query, negotiated=False)

    @router.get(
        "/{seed}",
        summary="The face of a seed",
        response_class=Response,
        responses={
            **picture_documented("That face: the same pixels for ever.", permanent=True),
            304: {"description": "The picture that If-None-Match names is still the one."},
            **accepted_documented(),
            **problems_documented(SeedOutOfRange, NoFormatAccepted, *MAKING_PROBLEMS),
        },
        openapi_extra=TAKES_ATTRIBUTES,
    )
    async def face_negotiated(request: Request, seed: Seed, query: Annotated[FaceQuery, Query()]) -> Response:
        """As with a format in the address; here the query or the `Accept` header chooses it."""
        picture_format = query.format or negotiate(whole_header(request, "accept"))
        job = ordering.face(read_seed(seed), query.wishes, picture_format)
        return await face_of(job, request, query, negotiated=True)

    return router


def _add_drawing(router: APIRouter, ordering: Ordering, max_faces: int) -> None:
    class DrawingQuery(FaceQuery):
        __pydantic_extra__: dict[str, StrengthRange]  # type: ignore[assignment]

        count: int = Field(min(DEFAULT_COUNT, max_faces), ge=1, le=max_faces, description="How many.", examples=[3])
        like: str | None = Field(
            None, max_length=20, description="Seed of a face whose neighbours these are to be.", examples=["7"]
        )

    @router.get(
        "",
        summary="Draw several faces",
        responses=problems_documented(
            *(ModelNotFound, UnknownParameter, INVALID_PARAMETER),
            *(SizeOutOfRange, WrongKindOfModel, NoSuchClass, ModelCannot, MixRefused, SeedOutOfRange),
            *(AttributeOutOfRange, EditRefused, DirectionsGone, NoSuchAttribute),
        ),
        openapi_extra=TAKES_RANGES,
    )
    async def drawn_faces(response: Response, query: Annotated[DrawingQuery, Query()]) -> DrawnFaces:
        """Seeds and permanent addresses. A picture is made when its address is opened, not before.

        An attribute may be a range, `age=-2..-1`: faces are drawn and then moved, each by a strength within it that its
        seed draws. With `like` these are the neighbours of one face, always the same: each a part of the way to
        another, as its `mix` says.
        """
        response.headers["Cache-Control"] = NEVER
        jobs = _drawn(query, ordering)
        faces = [
            DrawnFace(seed=json_safe(job.seed), address=ordering.address(job), page=ordering.page_address(job))
            for job in jobs
        ]
        return DrawnFaces(model=jobs[0].model, faces=faces)

    def _drawn(query: DrawingQuery, ordering: Ordering) -> list[GenerateJob]:
        picture_format = query.format or PictureFormat.JPEG
        ranges = tuple((name, *read_range(text)) for name, text in sorted((query.model_extra or {}).items()))
        for end in (1, 2):
            # Refused by its ends, whatever is drawn between.
            ends = tuple((one[0], float(one[end])) for one in ranges)
            ordering.face(0, replace(query.wishes, edits=ends), picture_format)
        if query.like is None:
            seeds, neighbours = [draw_seed() for _ in range(query.count)], [query.mix] * query.count
        else:
            seed, model = read_seed(query.like), ordering.model(query.model).generator
            seeds = [seed] * query.count
            neighbours = [mix_text(neighbour_of(seed, number, model)) for number in range(query.count)]
            neighbours = [f"{query.mix},{mix}" if query.mix else mix for mix in neighbours]
        return [
            ordering.face(seed, replace(query.wishes, edits=drawn_edits(ranges, seed), mix=mix), picture_format)
            for seed, mix in zip(seeds, neighbours, strict=True)
        ]
