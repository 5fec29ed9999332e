"""What the web refuses when a job is to be made, with the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType
from jobs.errors import KeyReused


class IdempotencyKeyMalformed(AppError):
    """An Idempotency-Key is 1 to 255 visible ASCII characters, in quotes or without."""


MAKING_PROBLEMS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        IdempotencyKeyMalformed: ProblemType(
            "idempotency-key-malformed",
            400,
            "Malformed idempotency key",
            "The header Idempotency-Key holds no text that can be a key: 1 to 255 visible ASCII characters.",
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
