"""Which scope opens which address: one table. An address that is not in it is closed to every key."""

from collections.abc import Mapping
from types import MappingProxyType

from app.access.keys import Scope

OPEN = None
"""For everybody, key or not: it tells nothing of anybody, and costs nothing."""

SCOPES: Mapping[str, Scope | None] = MappingProxyType(
    {
        # Probes, and what one needs to learn how to come in.
        "GET /livez": OPEN,
        "GET /readyz": OPEN,
        "GET /docs": OPEN,
        "GET /openapi.json": OPEN,
        "GET /problems/{slug}": OPEN,
        "GET /privacy": OPEN,
        "GET /enter": OPEN,
        "POST /enter": OPEN,
        "POST /leave": OPEN,
        # Faces.
        "GET /": Scope.GENERATE,
        "GET /face": Scope.GENERATE,
        "GET /v1/faces": Scope.READ,
        "GET /v1/faces/{seed}": Scope.GENERATE,
        "GET /v1/faces/{seed}.{extension}": Scope.GENERATE,
        "GET /v1/attributes": Scope.READ,
        "GET /teach": Scope.GENERATE,
        "POST /v1/directions": Scope.GENERATE,
        "GET /v1/directions/{direction}": Scope.READ,
        "GET /v1/directions/{direction}/file": Scope.READ,
        "DELETE /v1/directions/{direction}": Scope.READ,
        "GET /v1/morphs": Scope.GENERATE,
        "GET /v1/grids": Scope.GENERATE,
        "POST /v1/edits": Scope.GENERATE,
        # Photos.
        "GET /translate": Scope.UPLOAD,
        "POST /translate": Scope.UPLOAD,
        "POST /v1/translations": Scope.UPLOAD,
        "POST /v1/inversions": Scope.UPLOAD,
        "GET /v1/inversions/{latent}": Scope.READ,
        "GET /v1/inversions/{latent}/picture": Scope.GENERATE,
        "DELETE /v1/inversions/{latent}": Scope.READ,
        "GET /verify": Scope.UPLOAD,
        "POST /verify": Scope.UPLOAD,
        "POST /v1/verify": Scope.UPLOAD,
        # What there is, and what became of one's jobs. Whoever may make a job may also end it: its id is the secret.
        "GET /v1/models": Scope.READ,
        "GET /v1/styles": Scope.READ,
        "GET /v1/styles/{digest}/{moment}.jpg": Scope.READ,
        "POST /v1/jobs": Scope.GENERATE,
        "POST /v1/datasets": Scope.GENERATE,
        "GET /v1/jobs/{job_id}": Scope.READ,
        "GET /v1/jobs/{job_id}/events": Scope.READ,
        "GET /v1/jobs/{job_id}/result": Scope.READ,
        "DELETE /v1/jobs/{job_id}": Scope.READ,
        "POST /v1/shares": Scope.READ,
        # Everybody's business.
        "GET /metrics": Scope.ADMIN,
    }
)
"""By method and the route's own template. HEAD is GET."""

OPEN_FOLDERS = ("/static/",)
"""What lies under these is no route of its own: style and script, the same for everybody."""
