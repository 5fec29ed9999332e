"""Only sensible queries pass: what a route does not know is refused, not ignored."""

from collections import Counter

from starlette.requests import Request

from app.errors import RepeatedParameter, UnknownParameter


def only_known_parameters(request: Request) -> None:
    """Refuse parameters that the route's own description does not list. Raises UnknownParameter, RepeatedParameter."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    if not given:
        return
    known = _known(request)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UnknownParameter(unknown, known)
    repeated = [name for name, times in given.items() if times > 1]
    if repeated:
        raise RepeatedParameter(repeated)


def _known(request: Request) -> list[str]:
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    return [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]


async def client_gone(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
