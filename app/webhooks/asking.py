"""The Personne-Webhook header: where whoever asks for a job wants to be told of its end."""

import httpx
from starlette.requests import Request

from app.errors import WebhookRefused, WebhooksOff

HEADER = "personne-webhook"
MOST_CHARACTERS = 2000
WEBHOOK_PARAMETER = {
    "name": "Personne-Webhook",
    "in": "header",
    "required": False,
    "description": "An https address that is told, signed, when the job has ended; where the operator allows it.",
    "schema": {"type": "string", "maxLength": MOST_CHARACTERS, "examples": ["https://example.org/told"]},
}
"""How OpenAPI describes it."""


class WebhookGate:
    """allowed: whether the operator has set a secret to sign with."""

    def __init__(self, allowed: bool) -> None:
        self._allowed = allowed

    def of(self, request: Request) -> str:
        """The address, or "" where none is given. Where it leads is looked at when it is told, since names may change.

        Raises WebhooksOff, WebhookRefused.
        """
        text = request.headers.get(HEADER)
        if text is None:
            return ""
        if not self._allowed:
            raise WebhooksOff
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, UnicodeError):
            raise WebhookRefused from None
        if url.scheme not in ("https", "http") or not url.host or url.userinfo or len(text) > MOST_CHARACTERS:
            raise WebhookRefused
        return text
