"""The composition root of the web: everything is built here, once, and handed down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import compile_path
from starlette.types import Scope

from app.access.cost import Till
from app.access.guard import AskForKeys, declared_scope
from app.access.limits import Limits, TellLimits
from app.access.links import SharedLinks
from app.access.scopes import SCOPES
from app.access.security import RefuseStrangers
from app.access.sessions import Sessions, sessions_of
from app.admission import UploadRoom
from app.config import AccessConfig, AppConfig
from app.errands import Errands
from app.errors import INTERNAL_ERROR, INVALID_PARAMETER, METHOD_NOT_ALLOWED, NOT_FOUND, PROBLEMS
from app.inverting import Inverting
from app.making import Making
from app.metrics import CountRequests, Meters
from app.ordering import Ordering
from app.pages import STATIC, Pages
from app.photo_editing import PhotoEditing
from app.queries import KnownParameters
from app.ready_faces import ReadyFaces
from app.replies import FOR_EVER, error_reply, invalid_parameters_reply, problem_reply
from app.request_traces import TraceRequests
from app.routes.attributes import attributes_routes
from app.routes.directions import directions_routes
from app.routes.edits import edits_routes
from app.routes.enter import enter_routes
from app.routes.events import events_routes
from app.routes.face import face_routes
from app.routes.faces import faces_routes
from app.routes.grids import grids_routes
from app.routes.health import health_routes
from app.routes.inversions import inversions_routes
from app.routes.jobs import jobs_routes
from app.routes.making import making_routes
from app.routes.models import models_routes
from app.routes.morphs import morphs_routes
from app.routes.page import page_routes
from app.routes.photo_edits import photo_edits_routes
from app.routes.privacy import privacy_routes
from app.routes.reference import reference_routes
from app.routes.shares import shares_routes
from app.routes.styles import styles_routes
from app.routes.teach_page import teach_page_routes
from app.routes.translate_page import TranslatePage, translate_page_routes
from app.routes.translations import translations_routes
from app.routes.verify import verify_page_routes, verify_routes
from app.shedding import ShedFaces
from app.teaching import Teaching
from app.translating import Translating
from app.uploads import UploadLimits, Uploads
from app.verification import Verifier
from app.web_headers import GuardedHeaders, HeadAsGet
from jobs.queue import JobSubmitter
from jobs.tracing import Record, dropped
from models.catalogue import Shelf

DESCRIPTION = """Faces of people who do not exist, and photos in other styles, made by models that run here.

Every face has a seed, and an address of its own where it stays. Errors are problem documents (RFC 9457)."""

_ROUTED = tuple((method, compile_path(path)[0]) for method, _, path in (one.partition(" ") for one in SCOPES))


def create_app(
    config: AppConfig,
    submitter: JobSubmitter,
    shelf: Shelf,
    record: Record = dropped,
    ending: asyncio.Event | None = None,
) -> FastAPI:
    """The web. It closes the submitter when it stops. record: takes the spans of requests. ending: set when it is to
    stop, whereupon the streams of events end.

    Raises ModelNotFound where the default model is not there, CertificateRefused and OSError for a certificate that
    cannot be read.
    """
    meters = Meters()
    ordering = Ordering(config, shelf)
    till = Till(Limits(config.access.units_per_minute, config.access.limits_redis), ordering, meters)
    links, sessions = SharedLinks(config.access.share_secrets), sessions_of(config.access.keys)
    errands = Errands(submitter, meters, config.request_timeout_s, till)
    ready = ReadyFaces(config.ready_faces, ordering, errands, meters)
    pages = Pages(config.max_faces)
    limits = UploadLimits(config.max_upload_bytes, config.max_photo_pixels)
    uploads = Uploads(limits, UploadRoom(config.upload_room_bytes), till.pay_photo)
    making, translating = Making(config, ordering, errands), Translating(config, ordering, errands, uploads)
    verifier = Verifier(ordering, config.certificate)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Made now and kept: queries are checked against it, and two threads that make it at once break each other.
        app.openapi()
        ready.start()
        try:
            yield
        finally:
            await ready.stop()
            await submitter.close()
            await till.close()

    app = FastAPI(
        title="personne",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(declared_scope)],
        middleware=[Middleware(ShedFaces, shedding=errands.shedding, has_ready=lambda: len(ready) > 0)],
        docs_url=None,
        redoc_url=None,
    )
    api = APIRouter(dependencies=[Depends(KnownParameters(ordering))])
    for routes in (
        face_routes(ordering, ready, errands),
        faces_routes(ordering, errands, config.max_faces),
        translations_routes(config, errands, translating),
        styles_routes(ordering, errands),
        # Before its namesake for JSON, which takes what is no photo.
        photo_edits_routes(config, errands, PhotoEditing(config, ordering, errands, uploads)),
        edits_routes(config, ordering, errands, making),
        directions_routes(config, errands, Teaching(config, ordering, errands)),
        attributes_routes(ordering),
        morphs_routes(config, ordering, errands),
        grids_routes(config, ordering, errands),
        inversions_routes(config, ordering, errands, Inverting(config, ordering, errands, uploads)),
        jobs_routes(errands),
        making_routes(errands, making, config.translation_wait_s),
        events_routes(errands, ending or asyncio.Event()),
        verify_routes(verifier, uploads),
        shares_routes(links),
        models_routes(ordering, errands),
        health_routes(ordering, errands, meters),
    ):
        api.include_router(routes)
    app.include_router(api)
    for routes in (
        page_routes(pages, ordering, ready, errands),
        teach_page_routes(pages, ordering),
        translate_page_routes(TranslatePage(config, pages, ordering), errands, translating),
        verify_page_routes(pages, verifier, uploads),
        reference_routes(pages),
        privacy_routes(pages, config),
        enter_routes(pages, sessions),
    ):
        app.include_router(routes)
    app.mount(pages.static_address, ImmutableFiles(directory=STATIC))
    _answer_errors(app)
    _add_middleware(app, config.access, (links, sessions), meters, record)
    return app


def _add_middleware(
    app: FastAPI, access: AccessConfig, ways_in: tuple[SharedLinks, Sessions], meters: Meters, record: Record
) -> None:
    """From the innermost to the outermost."""
    links, sessions = ways_in
    app.add_middleware(TellLimits)
    app.add_middleware(AskForKeys, links=links, sessions=sessions)
    app.add_middleware(RefuseStrangers, hosts=access.hosts)
    app.add_middleware(CountRequests, meters=meters)
    app.add_middleware(GuardedHeaders)
    app.add_middleware(HeadAsGet)
    app.add_middleware(TraceRequests, record=record)


class ImmutableFiles(StaticFiles):
    """Static files under an address that holds their hash: they may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_EVER
        return response


def _answer_errors(app: FastAPI) -> None:
    async def known(_: Request, error: Exception) -> Response:
        return error_reply(error)

    for kind in PROBLEMS:
        app.add_exception_handler(kind, known)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return invalid_parameters_reply(error.errors())

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if error.status_code == METHOD_NOT_ALLOWED.status:
            detail = f"{request.method} is not answered here."
            return problem_reply(METHOD_NOT_ALLOWED, detail, headers=_allowed(request.url.path) or error.headers)
        if error.status_code == HTTPStatus.BAD_REQUEST:
            return problem_reply(INVALID_PARAMETER, "The body cannot be read as JSON.")
        return problem_reply(NOT_FOUND, f"There is nothing at {request.url.path}.")

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, __: Exception) -> Response:
        return problem_reply(INTERNAL_ERROR, INTERNAL_ERROR.meaning)


def _allowed(path: str) -> dict[str, str]:
    """The router names the methods of one route alone, and an address may have several; HEAD is answered as GET is."""
    methods = {method for method, pattern in _ROUTED if pattern.fullmatch(path)}
    methods |= {"HEAD"} if "GET" in methods else set()
    return {"Allow": ", ".join(sorted(methods))} if methods else {}
