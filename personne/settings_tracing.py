"""Settings of logs and traces: a part of Settings, in a file of its own."""

from typing import Literal

from pydantic import BaseModel, Field

LogLevel = Literal["debug", "info", "warning", "error"]


class TracingSettings(BaseModel):
    """What is written, and who collects spans."""

    log_level: LogLevel = Field("info", description="`debug`, `info`, `warning` or `error`. No photo is ever logged.")
    log_json: bool = Field(False, description="`true` writes one JSON object a line instead of plain text.")
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Collector of OpenTelemetry that spans are sent to (OTLP over HTTP), `http://127.0.0.1:4318` say; "
        "needs `personne[otel]`. Unset: none are.",
    )
