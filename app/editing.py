"""What an edit starts from, and what it asks."""

import json
from base64 import b64decode
from typing import NamedTuple

from app.edit_schemas import EditRequest
from app.errands import Errands
from app.errors import NoLatent
from app.ordering import Wishes
from jobs.contract import JobId

JSON = "application/json"


class StoredLatent(NamedTuple):
    """What an inversion left: the digest of its model, and ws as raw little-endian float32."""

    model: str
    ws: bytes


async def stored_latent(errands: Errands, latent: JobId) -> StoredLatent:
    """What the inversion of that id left. Raises JobNotFound, JobNotDone, NoLatent, QueueUnavailable, and why the
    inversion failed."""
    result = await errands.result(latent)
    if result.media_type != JSON:
        raise NoLatent
    try:
        document = json.loads(result.body)
        return StoredLatent(str(document["model"]), b64decode(document["ws"], validate=True))
    except (KeyError, TypeError, ValueError):
        raise NoLatent from None


def wishes_of(wanted: EditRequest, model: str | None = None) -> Wishes:
    """model: of a stored latent, which no other model can draw."""
    return Wishes(
        model=model or wanted.model,
        truncation_psi=wanted.truncation_psi,
        size=wanted.size,
        edits=tuple(wanted.attributes.items()),
        keep=wanted.keep,
        directions=wanted.directions,
        mix=wanted.mix,
    )
