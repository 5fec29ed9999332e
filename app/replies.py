"""Outcomes become HTTP replies: pictures with their headers, and problems."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response

from app.errors import INVALID_PARAMETER, PROBLEMS, ProblemType
from app.schemas import Problem, json_safe
from jobs.contract import JobResult

FOR_EVER = "public, max-age=31536000, immutable"
NEVER = "no-store"


class ProblemReply(JSONResponse):
    """RFC 9457: application/problem+json."""

    media_type = "application/problem+json"


def picture_reply(result: JobResult, headers: Mapping[str, str]) -> Response:
    """A picture."""
    return Response(result.body, media_type=result.media_type, headers=dict(headers))


def not_modified(headers: Mapping[str, str]) -> Response:
    """304: whoever asked already has it."""
    return Response(status_code=304, headers=dict(headers))


def problem_reply(
    problem: ProblemType,
    detail: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemReply:
    """A problem document. detail: a sentence about this case. members: what a program wants to know of it."""
    document = {
        "type": problem.uri,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        **json_safe(jsonable_encoder(members or {})),
    }
    return ProblemReply(document, problem.status, headers={**retry_header(problem), **(headers or {})})


_UNREAD = frozenset({"upload-too-big", "upload-too-slow", "uploads-busy"})
"""Problems of bodies that were not read to their end: the server would go on taking in whatever still comes."""


def retry_header(problem: ProblemType) -> dict[str, str]:
    """When to come back; that nobody may store the answer; and that what is still on its way will not be read."""
    retry = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    close = {"Connection": "close"} if problem.slug in _UNREAD else {}
    return {"Cache-Control": NEVER, **retry, **close}


def error_reply(error: Exception, headers: Mapping[str, str] | None = None) -> ProblemReply:
    """The problem document of an error in the table; its public attributes are the extra members."""
    return problem_reply(PROBLEMS[type(error)], str(error), vars(error), headers)


def invalid_parameters_reply(errors: Sequence[Mapping[str, Any]]) -> ProblemReply:
    """The problem document for parameters of the wrong kind or outside of their bounds (pydantic's errors)."""
    told = [_told(error) for error in errors]
    detail = " ".join(item["detail"] for item in told)
    members: dict[str, Any] = {"errors": told}
    if "limit" in told[0]:
        members["limit"] = told[0]["limit"]
    return problem_reply(INVALID_PARAMETER, detail, members)


_NO_NAMES = {"int", "str", "[key]"}
# What pydantic calls a limit, and what people do.
_LIMIT_NAMES = {"ge": "minimum", "le": "maximum", "pattern": "pattern", "expected": "one_of"}


def _told(error: Mapping[str, Any]) -> dict[str, Any]:
    """`Input should be less than or equal to 1` => `truncation_psi should be less than or equal to 1.`"""
    # Not the place in a list, nor what pydantic calls a choice between types or the name of a member.
    named = [part for part in error["loc"] if isinstance(part, str) and part not in _NO_NAMES]
    name = named[-1] if named else "the query"
    sentence = str(error["msg"]).replace("Input", name, 1).replace("String", name, 1).rstrip(".")
    sentence = sentence.replace("Field required", f"{name} is required")
    told: dict[str, Any] = {"parameter": name, "detail": sentence + "."}
    context = error.get("ctx", {})
    limit = {name: context[key] for key, name in _LIMIT_NAMES.items() if key in context}
    return {**told, "limit": limit} if limit else told


PROBLEM_SCHEMA = Problem.model_json_schema()


def problems_documented(*kinds: ProblemType | type[Exception]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for the problems that a route can answer, with an example each."""
    problems = [kind if isinstance(kind, ProblemType) else PROBLEMS[kind] for kind in kinds]
    documented: dict[int | str, dict[str, Any]] = {}
    for problem in problems:
        entry = documented.setdefault(problem.status, {"description": "", "content": {}})
        entry["description"] = " / ".join(filter(None, (entry["description"], problem.title)))
        content = entry["content"].setdefault(ProblemReply.media_type, {"schema": PROBLEM_SCHEMA, "examples": {}})
        content["examples"][problem.slug] = {"value": _example(problem)}
        if problem.retry_after_s is not None:
            entry["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return documented


def _example(problem: ProblemType) -> dict[str, Any]:
    return {"type": problem.uri, "title": problem.title, "status": problem.status, "detail": problem.meaning}


def picture_documented(description: str, *, permanent: bool) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for a picture."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    headers = {
        "Content-Location": "The permanent address of this face.",
        "Personne-Seed": "The seed, 0 to 2^64 - 1.",
        "Personne-Model": "The digest of the model.",
        "Cache-Control": FOR_EVER if permanent else NEVER,
    }
    if permanent:
        headers["ETag"] = "Weak: made of the model's digest and all parameters; the same pixels."
    shown = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    content = {f"image/{kind}": binary for kind in ("jpeg", "png", "webp")}
    return {200: {"description": description, "content": content, "headers": shown}}
