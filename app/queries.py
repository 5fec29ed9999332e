"""Only sensible queries pass: what a route does not know is refused, not ignored."""

from collections import Counter
from typing import Any

from starlette.requests import Request

from app.errors import RepeatedParameter, UnknownParameter
from app.ordering import Ordering

ATTRIBUTES_PARAMETER = {
    "name": "attributes",
    "in": "query",
    "style": "form",
    "explode": True,
    "description": "Any attribute of the model by its own name, with the strength of the edit: smile=1.5&age=-2. "
    "/v1/attributes lists them with their ranges; 0 changes nothing.",
    "schema": {"type": "object", "additionalProperties": {"type": "number"}, "examples": [{"smile": 1.5, "age": -2}]},
}
"""How OpenAPI describes parameters whose names depend on the model."""
TAKES_ATTRIBUTES = {"parameters": [ATTRIBUTES_PARAMETER]}
"""`openapi_extra` of the routes that take them."""
_RANGES_PARAMETER = {
    **ATTRIBUTES_PARAMETER,
    "description": "Any attribute of the model by its own name, with a strength or a range: smile=1&age=-2..-1. Each "
    "face draws its own within the range, by its seed.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}, "examples": [{"age": "-2..-1"}]},
}
TAKES_RANGES = {"parameters": [_RANGES_PARAMETER]}
_ONE_RANGE_PARAMETER = {
    **ATTRIBUTES_PARAMETER,
    "description": "Any attribute of the model by its own name, with a strength: age=1. One of them may have a range, "
    "smile=-2..2, and moves over each row.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}, "examples": [{"smile": "-2..2"}]},
}
TAKES_ONE_RANGE = {"parameters": [_ONE_RANGE_PARAMETER]}


class KnownParameters:
    """A dependency that refuses parameters which the route's own description does not list, and attributes that the
    model does not have. Raises UnknownParameter, RepeatedParameter, ModelNotFound."""

    def __init__(self, ordering: Ordering) -> None:
        self._ordering = ordering

    async def __call__(self, request: Request) -> None:
        given = Counter(name for name, _ in request.query_params.multi_items())
        if not given:
            return
        described = _described(request)
        known = [parameter["name"] for parameter in described if not _is_free(parameter)]
        if any(name not in known for name in given) and any(_is_free(parameter) for parameter in described):
            known += self._ordering.attributes(request.query_params.get("model"))
        unknown = [name for name in given if name not in known]
        if unknown:
            raise UnknownParameter(unknown, known)
        repeated = [name for name, times in given.items() if times > 1]
        if repeated:
            raise RepeatedParameter(repeated)


def _described(request: Request) -> list[dict[str, Any]]:
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    return [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]


def _is_free(parameter: dict[str, Any]) -> bool:
    return "additionalProperties" in parameter["schema"]


async def client_gone(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
