"""Jobs and outcomes as bytes: JSON with the contract's version, never pickle.

Large bytes are no part of it: a result's body and a job's inputs travel beside their JSON, in keys of their own.
"""

import json
from dataclasses import asdict, fields
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from jobs.contract import (
    CONTRACT_VERSION,
    JOB_KINDS,
    Job,
    JobFailure,
    JobOutcome,
    JobResult,
    Lane,
    Parts,
    WorkerBeat,
)
from jobs.errors import WireError


def job_to_bytes(job: Job, trace: str | None = None) -> bytes:
    """One job. JSON numbers are exact for Python integers, so 64-bit seeds survive. trace: of the request, if any."""
    return _encoded({"kind": job.kind, **asdict(job), **({} if trace is None else {"trace": trace})})


def job_from_bytes(wire: bytes) -> Job:
    """Raises WireError for bytes that are no job of a known version and kind, with exactly the fields of that kind."""
    job: Job = job_and_trace(wire)["job"]
    return job


def job_and_trace(wire: bytes) -> dict[str, Any]:
    """The fields of a Delivery that come from these bytes. Raises WireError."""
    message = _decoded(wire)
    trace = message.pop("trace", None)
    if not isinstance(trace, str | None):
        raise WireError(f"A job's trace is {trace!r}.")
    return {"job": _job_of(message), "trace": trace}


def _job_of(message: dict[str, Any]) -> Job:
    kind = message.pop("kind", None)
    job_class = JOB_KINDS.get(kind) if isinstance(kind, str) else None
    if job_class is None:
        raise WireError(f"A job of the kind {kind!r} is unknown here; known are: {', '.join(JOB_KINDS)}.")
    expected = {field.name for field in fields(job_class)}
    if message.keys() != expected:
        raise WireError(f"A job of the kind {kind!r} has the fields {sorted(expected)}; these are {sorted(message)}.")
    types = get_type_hints(job_class)
    return job_class(**{name: _typed(name, value, types[name]) for name, value in message.items()})


def outcome_to_wire(outcome: JobOutcome) -> tuple[bytes, bytes]:
    """(JSON, body); a failure's body is empty."""
    if isinstance(outcome, JobFailure):
        return _encoded({"failure": asdict(outcome)}), b""
    facts = {
        "media_type": outcome.media_type,
        "timings_ms": dict(outcome.timings_ms),
        "batch_size": outcome.batch_size,
        **({} if outcome.parts is None else {"parts": asdict(outcome.parts)}),
    }
    return _encoded({"result": facts}), outcome.body


def outcome_from_wire(wire: bytes, body: bytes) -> JobOutcome:
    """Raises WireError."""
    message = _decoded(wire)
    try:
        if "failure" in message:
            return JobFailure(**message["failure"])
        facts = message["result"]
        parts = facts.pop("parts", None)
        return JobResult(body=body, **facts, parts=None if parts is None else Parts(**parts))
    except (KeyError, TypeError) as error:
        raise WireError(f"An outcome on the wire is malformed: {error}.") from error


def beat_to_bytes(beat: WorkerBeat) -> bytes:
    return _encoded(asdict(beat))


def beat_from_bytes(wire: bytes) -> WorkerBeat:
    """Raises WireError."""
    message = _decoded(wire)
    try:
        lanes = tuple(Lane(lane) for lane in message.pop("lanes"))
        models, warm = (tuple(message.pop(name)) for name in ("models", "warm"))
        return WorkerBeat(models=models, warm=warm, lanes=lanes, **message)
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"A heartbeat on the wire is malformed: {error}.") from error


def _typed(name: str, value: Any, wanted: Any) -> Any:
    """A field's value as its annotation has it: int, float, str, bool, an enumeration of strings, a tuple of any of
    these (JSON has lists), or one of several."""
    options = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    for option in options:
        if get_origin(option) is tuple and isinstance(value, list):
            items = get_args(option)
            if items[-1] is Ellipsis:
                items = (items[0],) * len(value)
            if len(items) == len(value):
                return tuple(_typed(name, item, kind) for item, kind in zip(value, items, strict=True))
        if isinstance(option, type) and issubclass(option, StrEnum):
            if value in list(option):
                return option(value)
        # A JSON number without a fraction is a float too; true and false are no numbers.
        elif type(value) is option or (option is float and type(value) is int):
            return value
    raise WireError(f"A job's {name} is {value!r}.")


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps({"version": CONTRACT_VERSION, **message}, separators=(",", ":")).encode()


def _decoded(wire: bytes) -> dict[str, Any]:
    try:
        message = json.loads(wire)
    except ValueError as error:
        raise WireError(f"These {len(wire)} bytes are no JSON: {error}.") from error
    if not isinstance(message, dict):
        raise WireError(f"These {len(wire)} bytes are no JSON object.")
    version = message.pop("version", None)
    if version != CONTRACT_VERSION:
        raise WireError(f"Version {version!r} is unknown here; this release reads version {CONTRACT_VERSION}.")
    return message
