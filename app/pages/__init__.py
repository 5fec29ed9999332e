"""The HTML that people see: Jinja2 templates beside this file, style and script in ../static."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

AT_ONCE = 12
"""Faces that a page shows or asks for at a time, where the service draws so many."""
STATIC = Path(__file__).parent.parent / "static"


class Pages:
    """Renders the templates. most_faces: that one GET /v1/faces draws. static_address: where the static files are; it
    changes with their content."""

    def __init__(self, most_faces: int) -> None:
        self.at_once = min(AT_ONCE, most_faces)
        content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))
        self.static_address = f"/static/{hashlib.sha256(content).hexdigest()[:12]}"
        self._templates = Environment(
            loader=PackageLoader("app", "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"static": self.static_address, "at_once": self.at_once}
        self._templates.filters["coded"] = _coded

    def reply(
        self, template: str, context: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A template as an HTML reply."""
        html = self._templates.get_template(template).render(context)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store", **(headers or {})})


def _coded(text: str) -> Markup:
    """What stands between backticks as code, all of it escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped on this line
