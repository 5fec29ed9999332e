"""What the page says of a face, and what it lets a person choose: plain values for its template."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.ordering import Ordering, plain_number, query_of
from jobs.contract import EditJob, GenerateJob, JobResult
from models.abilities import MOST_DEGREES, MOST_SHIFT, takes_truncation
from models.directions import Direction
from models.manifest import GeneratorManifest
from models.mixing import mix_text

MOST_LISTED = 200
"""More classes than these are asked for by number: the page stays small."""
SLIDERS = (
    ("rotate", "Turn", f"{MOST_DEGREES:g}", "0.5"),
    ("translate_x", "Across", f"{MOST_SHIFT:g}", "0.005"),
    ("translate_y", "Down", f"{MOST_SHIFT:g}", "0.005"),
)
STRENGTH_STEP, FINE_STEP = 0.1, 0.01
"""Of sliders; the fine one where an attribute does not even reach 1."""
MOST_ATTRIBUTES = 24
"""Sliders on the page; the others are asked for by the address."""
PARTS = ("pose and shape", "features", "colours")
"""What the first, the middle and the last third of the style layers draw."""


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A picture, what made it, and from where. latent: the inversion's id of a face out of a photo; to: seed of a face
    that it is to turn into."""

    job: GenerateJob | EditJob
    result: JobResult
    spare: bool = False
    latent: str = ""
    to: int | None = None


def told(face: ShownFace, ordering: Ordering) -> dict[str, Any]:
    """What the template takes as `face`."""
    job, here = face.job, ordering.catalogue
    entry = here.with_digest(job.model)
    model = entry.generator
    generators = [one.manifest for one in here if isinstance(one.manifest, GeneratorManifest)]
    look = _look(model, job) if isinstance(job, GenerateJob) else None
    attributes = [_attribute(one, job) for one in list(entry.directions.values())[:MOST_ATTRIBUTES]]
    return {
        **_places(face, ordering),
        "spare": face.spare,
        "side": job.size,
        "data": f"data:{face.result.media_type};base64,{b64encode(face.result.body).decode()}",
        "model": model,
        "models": generators if len(generators) > 1 else [],
        "psi": plain_number(job.truncation_psi) if takes_truncation(model) else None,
        "look": look,
        "attributes": attributes,
        "keep": ",".join(job.keep),
        "mix": mix_text(job.mix),
        "parts": _parts(model.num_ws),
        "inverts": bool(model.inverters),
        "open": bool(look or job.edits or job.mix or face.latent or face.to is not None),
    }


def _places(face: ShownFace, ordering: Ordering) -> dict[str, Any]:
    """Seed or latent, and where the face is to be had again."""
    job = face.job
    if isinstance(job, EditJob):
        page = f"/?{urlencode({'latent': face.latent, **_latent_query(job)}, safe=':')}"
        return {"seed": "", "latent": face.latent, "address": page, "page": page, "morph": "", "to": ""}
    morph = ""
    if face.to is not None:
        morph = f"/v1/morphs?{urlencode({'from': job.seed, 'to': face.to, 'loop': 'true', **query_of(job)}, safe=':')}"
    return {
        "seed": job.seed,
        "latent": "",
        "address": ordering.address(job),
        "page": ordering.page_address(job),
        "morph": morph,
        "to": "" if face.to is None else face.to,
    }


def _latent_query(job: EditJob) -> dict[str, str]:
    query = {"model": job.model, "truncation_psi": plain_number(job.truncation_psi)}
    query |= {"mix": mix_text(job.mix)} if job.mix else {}
    query |= {name: plain_number(strength) for name, strength in job.edits}
    return query | ({"keep": ",".join(job.keep)} if job.keep else {})


def _look(model: GeneratorManifest, job: GenerateJob) -> dict[str, Any] | None:
    """Class and movement; None where there is nothing to choose."""
    if not model.c_dim and not model.takes_transform:
        return None
    numbers = [str(label) for label in range(model.c_dim)]
    return {
        "classes": list(model.class_names or numbers) if model.c_dim <= MOST_LISTED else [],
        "largest": model.c_dim - 1 if model.c_dim else None,
        "label": job.label,
        "sliders": [
            {"name": name, "title": title, "most": most, "step": step, "value": plain_number(getattr(job, name))}
            for name, title, most, step in SLIDERS
            if model.takes_transform
        ],
    }


def _attribute(direction: Direction, job: GenerateJob | EditJob) -> dict[str, Any]:
    step = STRENGTH_STEP if max(-direction.low, direction.high) >= 1 else FINE_STEP
    return {
        "name": direction.name,
        "title": direction.name.replace("_", " "),
        "meaning": direction.meaning,
        "low": _end(direction.low, step),
        "high": _end(direction.high, step),
        "step": plain_number(step),
        "value": plain_number(dict(job.edits).get(direction.name, 0.0)),
        "kept": direction.name in job.keep,
    }


def _end(limit: float, step: float) -> str:
    """Of a slider: whole steps away from 0, or it would have no place for 0, and move what nobody has moved."""
    return plain_number(round(int(round(limit / step, 6)) * step, 4))


def _parts(num_ws: int) -> list[tuple[str, str]]:
    """Thirds of the style layers as a mix has them, with what each draws; none where there are too few."""
    if num_ws < len(PARTS):
        return []
    ends = [round(num_ws * part / len(PARTS)) for part in range(len(PARTS) + 1)]
    return [(f"{ends[part]}-{ends[part + 1] - 1}", name) for part, name in enumerate(PARTS)]
