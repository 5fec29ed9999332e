"""/docs and /problems: the reference, rendered here from the OpenAPI description, without anybody else's scripts."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from app.errors import ALL_PROBLEMS
from app.pages import Pages

_OF_THE_MOMENT = {"direction", "job_id", "latent", "digest"}
"""Parameters of addresses that have no example to click: what there is differs from service to service."""
_NEEDS_A_QUERY = {"/v1/morphs"}
"""Addresses that say nothing by themselves."""
_PROBLEMS_BY_SLUG = {problem.slug: problem for problem in ALL_PROBLEMS}


def reference_routes(pages: Pages) -> APIRouter:
    """GET /docs and /problems/{slug}."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        """Every address with its parameters, answers and examples."""
        description = request.app.openapi()
        context = {
            "api": description,
            "operations": [
                _operation(method, path, operation)
                for path, item in description["paths"].items()
                for method, operation in item.items()
            ],
            "problems": ALL_PROBLEMS,
        }
        return pages.reply("reference.html", context)

    @router.get("/problems/{slug}")
    async def problem(slug: str) -> Response:
        """What one type of problem means."""
        if slug not in _PROBLEMS_BY_SLUG:
            raise HTTPException(404)
        return pages.reply("problem.html", {"problem": _PROBLEMS_BY_SLUG[slug]})

    return router


def _operation(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", ())]
    answers = [_answer(status, answer) for status, answer in sorted(operation["responses"].items())]
    return {
        "method": method.upper(),
        "path": path,
        "anchor": operation["operationId"],
        "summary": operation["summary"],
        "description": operation.get("description", "").split("\n\n"),
        "parameters": parameters,
        "answers": answers,
        "example": _example(path, parameters) if method == "get" and _is_clickable(path) else None,
    }


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    kind = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    examples = [*kind.get("examples", ()), *schema.get("examples", ())]
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "text": parameter.get("description") or schema.get("description") or kind.get("description", ""),
        "type": _bounds(kind),
        "example": examples[0] if examples else None,
    }


def _bounds(kind: dict[str, Any]) -> str:
    if "$ref" in kind:
        return "webp, gif or mp4" if kind["$ref"].endswith("AnimationFormat") else "jpg, png or webp"
    if "minimum" in kind and "maximum" in kind:
        return f"{kind['type']}, {kind['minimum']} to {kind['maximum']}"
    return str(kind["type"])


def _answer(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    content = answer.get("content", {})
    slugs = [slug for media in content.values() for slug in media.get("examples", ())]
    return {"status": status, "text": answer["description"], "media": list(content), "problems": slugs}


def _is_clickable(path: str) -> bool:
    return path not in _NEEDS_A_QUERY and not _OF_THE_MOMENT & set(_names(path))


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _example(path: str, parameters: list[dict[str, Any]]) -> str:
    """An address to click: the path with its examples filled in."""
    for parameter in parameters:
        if parameter["where"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter["example"] or "png"))
    return path
