"""Log lines on stderr: plain text for people, or one JSON object a line for collectors."""

import json
import logging
import sys
from datetime import UTC, datetime

from jobs.tracing import CONTEXT, JOB_ID
from personne.settings import Settings, unknown_variables

_log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what it is about, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        context, job_id = CONTEXT.get(), JOB_ID.get()
        if job_id is not None:
            line["job_id"] = job_id
        if context is not None:
            line |= {"trace_id": context.trace_id, "span_id": context.span_id}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def keep_photos_out() -> None:
    """Whatever the level: while it debugs, Pillow writes the EXIF of every photo that it opens."""
    logging.getLogger("PIL").setLevel(logging.WARNING)


def configure_logging(settings: Settings) -> None:
    """Send every log line to stderr as the settings say."""
    lines = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    lines.setFormatter(JsonLines() if settings.log_json else plain)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[lines], force=True)
    keep_photos_out()
    # Its life-cycle lines say nothing that ours do not.
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.root.level))
    for name in unknown_variables():
        _log.warning("%s is set, and no setting has that name; docs/settings.md lists them.", name)
