"""personne morph: a face that turns into others, as a moving picture in a file. The worker's own task makes it."""

from dataclasses import fields
from pathlib import Path

from rich.progress import Progress

from jobs.contract import AnimationFormat, GenerateJob, MorphJob
from marks.stamp import UNMARKED, Stamp
from models.catalogue import ModelEntry
from personne.commands.sample import opened_generator, parse_seeds
from personne.errors import BadMorph
from worker.tasks.generate import GenerateTask
from worker.tasks.morph import MorphTask


def morph_faces(
    pattern: GenerateJob,
    entry: ModelEntry,
    *,
    seeds: str,
    frames: int,
    fps: int,
    loop: bool,
    out: Path,
    device: str,
    stamp: Stamp = UNMARKED,
) -> int:
    """Write the morph through the faces of `seeds` ("1,2,3"), in all else as `pattern` asks, to `out`, whose ending
    says the format. Returns how many bytes it has. Raises BadSeeds, BadMorph, VideoMissing.
    """
    wanted = _several(seeds)
    if frames < len(wanted):
        raise BadMorph(f"each of the {len(wanted)} faces is a frame of its own, and --frames {frames} has no room")
    look = {field.name: getattr(pattern, field.name) for field in fields(pattern)}
    del look["seed"], look["format"]
    job = MorphJob(**look, seeds=wanted, frames=frames, fps=fps, loop=loop, format=_format_of(out))
    faces = GenerateTask(directions_of=lambda _: entry.directions)
    task = MorphTask(faces, stamp, lambda _: entry.manifest.name)
    with opened_generator(entry, device) as (model, _), Progress() as progress:
        bar = progress.add_task(entry.manifest.name, total=1.0)
        made = task.run(job, task.prepare(job, {}, model), model, lambda share: progress.update(bar, completed=share))
        progress.update(bar, completed=1.0)
    body = task.finish(job, made, {}).body
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.write_bytes(body)


def _several(text: str) -> tuple[int, ...]:
    seeds = parse_seeds(text)
    if len(seeds) < 2:
        raise BadMorph(f"a morph needs two faces at least, as --seeds 1,2; {text!r} names one")
    return tuple(seeds)


def _format_of(out: Path) -> AnimationFormat:
    ending = out.suffix.removeprefix(".").lower()
    if ending not in list(AnimationFormat):
        raise BadMorph(f"the file {out.name!r} should end in {', '.join(f'.{one}' for one in AnimationFormat)}")
    return AnimationFormat(ending)
