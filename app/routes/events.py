"""GET /v1/jobs/{job_id}/events: what happens to a job, as it happens."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from app.errands import Errands
from app.errors import JobNotFound, UnknownParameter
from app.event_stream import HEADERS, HEARTBEAT_S, EventStream, read_event_id
from app.replies import NEVER, problems_documented
from app.routes.jobs import IdInPath
from jobs.contract import JobId
from jobs.errors import QueueUnavailable

EVENTS = "text/event-stream"
EXAMPLE = (
    'id: 1795280400000-0\nevent: running\ndata: {"id": "0f1e…", "state": "running", …}\n\n'
    'id: 1795280401250-0\nevent: progress\ndata: {"id": "0f1e…", "state": "running", "progress": 0.25, …}\n\n'
)
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "waiting, position, running, progress; then one of done, failed, cancelled, and the end.",
        "content": {EVENTS: {"itemSchema": EVENT, "examples": {"two": {"value": EXAMPLE}}}},
    },
    204: {"description": "Last-Event-ID names the last event: there is nothing more to come for."},
}


def events_routes(errands: Errands, ending: asyncio.Event, heartbeat_s: float = HEARTBEAT_S) -> APIRouter:
    """GET /v1/jobs/{job_id}/events. ending: ends every stream."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

    @router.get(
        "/{job_id}/events",
        summary="What happens to a job, as it happens",
        response_class=Response,
        responses={**STREAM, **problems_documented(UnknownParameter, JobNotFound, QueueUnavailable)},
    )
    async def events(
        job_id: IdInPath,
        last_event_id: Annotated[
            str | None,
            Header(description="The last event that was seen: those after it follow.", examples=["1795280400000-0"]),
        ] = None,
    ) -> Response:
        """Server-sent events, for `new EventSource(address)` and `curl -N`. Each has the job's document as its data.

        Events with an id are kept (1,024 of a job, as long as its result): whoever comes again with `Last-Event-ID`
        misses none and gets none twice. `position` has no id: it is of the moment.
        """
        stream = EventStream(errands, JobId(job_id), read_event_id(last_event_id), heartbeat_s, ending)
        found = await stream.first()
        if found is None:
            return Response(status_code=204, headers={"Cache-Control": NEVER})
        return StreamingResponse(stream.lines(found), media_type=EVENTS, headers=HEADERS)

    return router
