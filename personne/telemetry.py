"""Spans to an OpenTelemetry collector, where one is set; where none is, nothing of OpenTelemetry is imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from jobs.tracing import Record, Span, dropped
from personne.errors import ExtraMissing
from personne.settings import Settings

PATIENCE_S = 5


@contextmanager
def recording(settings: Settings, process: str) -> Iterator[Record]:
    """What takes spans while this lasts; at the end those in hand are sent. process: web, worker or serve.

    Raises ExtraMissing where a collector is set and `personne[otel]` is not installed.
    """
    if settings.otlp_endpoint is None:
        yield dropped
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise ExtraMissing("opentelemetry-sdk", "otel")
    collector = _Collector(settings.otlp_endpoint, process)
    try:
        yield collector.take
    finally:
        collector.close()


class _Collector:
    """OTLP over HTTP, in batches, from a thread of its own."""

    def __init__(self, endpoint: str, process: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        address = f"{endpoint.rstrip('/')}/v1/traces"
        self._resource = Resource.create({"service.name": f"personne-{process}"})
        self._batches = BatchSpanProcessor(OTLPSpanExporter(endpoint=address, timeout=PATIENCE_S))

    def take(self, span: Span) -> None:
        from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415

        def place(span_id: str, *, remote: bool) -> SpanContext:
            return SpanContext(int(span.context.trace_id, 16), int(span_id, 16), remote, TraceFlags(TraceFlags.SAMPLED))

        self._batches.on_end(
            ReadableSpan(
                name=span.name,
                context=place(span.context.span_id, remote=False),
                parent=None if span.parent is None else place(span.parent, remote=True),
                resource=self._resource,
                attributes=dict(span.attributes),
                kind=SpanKind.SERVER if span.kind == "server" else SpanKind.CONSUMER,
                status=Status(StatusCode.ERROR, span.failed) if span.failed else Status(StatusCode.UNSET),
                start_time=span.started_ns,
                end_time=span.ended_ns,
            )
        )

    def close(self) -> None:
        self._batches.shutdown()  # type: ignore[no-untyped-call]
