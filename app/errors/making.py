"""What the web refuses when a job is to be made, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType
from jobs.errors import KeyReused


class IdempotencyKeyMalformed(AppError):
    """An Idempotency-Key is 1 to 255 visible ASCII characters, in quotes or without."""


class DatasetTooBig(AppError):
    """A data set of so many faces is not made here."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A data set may have {most} faces; ask for several, with seeds that follow one another.")
        self.limit = most


class DatasetTooLarge(AppError):
    """The zip grew past its limit."""


class WebhooksOff(AppError):
    """Nobody is told of jobs here: the operator has set no secret to sign with."""


class WebhookRefused(AppError):
    """A webhook is an https address of up to 2000 characters, without a name or password in it."""


MAKING_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        IdempotencyKeyMalformed: ProblemType(
            "idempotency-key-malformed",
            400,
            "Malformed idempotency key",
            "The header Idempotency-Key holds no text that can be a key: 1 to 255 visible ASCII characters.",
        ),
        DatasetTooBig: ProblemType(
            "too-many-faces",
            422,
            "Too many faces",
            "A data set has more faces than the operator allows; the member limit says how many it may have.",
        ),
        DatasetTooLarge: ProblemType(
            "dataset-too-large",
            422,
            "Data set too large",
            "The zip grew past the operator's limit while it was made. Ask for fewer or smaller faces, or for JPEG.",
        ),
        WebhooksOff: ProblemType(
            "webhooks-off",
            422,
            "No webhooks here",
            "The header Personne-Webhook asks to be told of a job's end, and the operator has not switched that on. "
            "The job's events and its address tell the same.",
        ),
        WebhookRefused: ProblemType(
            "webhook-refused",
            422,
            "Not an address to tell",
            "The header Personne-Webhook holds no https address that can be told.",
        ),
        KeyReused: ProblemType(
            "idempotency-key-reused",
            422,
            "Idempotency key reused",
            "The same key came within the last 24 hours with another payload or to another address. Each new request "
            "needs a key of its own.",
        ),
    }
)
