"""Settings of tracing: a part of Settings, in a file of its own."""

from pydantic import BaseModel, Field


class TracingSettings(BaseModel):
    """Who collects spans."""

    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Collector of OpenTelemetry that spans are sent to (OTLP over HTTP), `http://127.0.0.1:4318` say; "
        "needs `personne[otel]`. Unset: none are.",
    )
