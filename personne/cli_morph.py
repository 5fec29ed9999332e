"""The command that makes moving pictures."""

from pathlib import Path
from typing import Annotated

import typer

from personne.cli_options import Device, Model, Store, need, settings_of


def morph(
    *,
    seeds: Annotated[str, typer.Option(help="The faces, in their order: 1,2,3.")],
    out: Annotated[Path, typer.Option(help="The file: .webp, .gif or .mp4 (which needs the extra video).")],
    frames: Annotated[int, typer.Option(min=2, max=2000, help="Of the whole.")] = 48,
    fps: Annotated[int, typer.Option(min=1, max=50, help="Frames a second.")] = 24,
    loop: Annotated[bool, typer.Option("--loop", help="Back to the first face, again and again.")] = False,
    attributes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=STRENGTH", help="smile=1.5; once for each.")
    ] = None,
    keep: Annotated[str | None, typer.Option(help="Attributes to leave alone, with commas between.")] = None,
    model: Model = None,
    truncation_psi: Annotated[float | None, typer.Option(min=0, max=1, help="Lower is plainer (0.7).")] = None,
    label: Annotated[str | None, typer.Option("--class", help="Number or name of a class.")] = None,
    device: Device = None,
    store: Store = None,
) -> None:
    """Turn a face into another, and on into the next, as a moving picture."""
    need(worker="onnxruntime")
    settings = settings_of(default_model=model, device=device, store=store)
    from personne.commands.edit import edited
    from personne.commands.morph import morph_faces
    from personne.commands.sample import pattern_of
    from personne.models_here import models_here
    from worker.tasks.task import stamp_for

    here = models_here(settings)
    entry = here.named(settings.default_model)
    plain = pattern_of(entry, here, truncation_psi=truncation_psi, default_psi=settings.default_psi, label=label)
    morph_faces(
        edited(plain, entry, attributes or [], keep),
        entry,
        seeds=seeds,
        frames=frames,
        fps=fps,
        loop=loop,
        out=out,
        device=settings.device,
        stamp=stamp_for(settings.worker_config()),
    )
