"""ASGI middleware: every request has a place in a trace, its caller's or a new one, and becomes a span in the end."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.tracing import CONTEXT, Record, Span, below, now_ns, read_traceparent

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: no spans."""


class TraceRequests:
    """Sets the trace context that jobs take along, and hands the request's span to `record`."""

    def __init__(self, app: ASGIApp, record: Record) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = read_traceparent(Headers(scope=scope).get("traceparent"))
        context = below(parent)
        # Not set back: the server logs what went wrong after we are through, in this same request's context.
        CONTEXT.set(context)
        began, status = now_ns(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if context.sampled and scope["path"] not in PROBES:
                # The route's template, never the address: that may name a job or hold a signature.
                route = getattr(scope.get("route"), "path", "unmatched")
                attributes: dict[str, str | int | float] = {
                    "http.request.method": scope["method"],
                    "http.route": route,
                    "http.response.status_code": status,
                }
                failed = f"status {status}" if status >= 500 else ""
                name = f"{scope['method']} {route}"
                span_id = None if parent is None else parent.span_id
                self._record(Span(name, context, span_id, "server", began, now_ns(), attributes, failed))
