"""The Personne-Webhook header: where whoever asks for a job wants to be told of its end."""

import httpx
from starlette.requests import Request

from app.errors import WebhookRefused, WebhooksOff

HEADER = "personne-webhook"
MOST_CHARACTERS = 2000
HIGHEST_PORT = 65_535
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
            # As the look-up will write it: labels that are empty or too long have no such form.
            url.host.encode("idna")
        except (httpx.InvalidURL, ValueError, OverflowError):
            raise WebhookRefused from None
        if url.port is not None and not 0 < url.port <= HIGHEST_PORT:
            raise WebhookRefused
        if url.scheme not in ("https", "http") or not url.host or url.userinfo or len(text) > MOST_CHARACTERS:
            raise WebhookRefused
        return text
