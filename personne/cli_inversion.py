"""The commands about faces in photos: finding them, framing them, and going back from them to a latent.

`train locator`, `train encoder` and `dataset align` stand beside their like; cli.py imports this for them.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from personne.cli_dataset import Force, dataset
from personne.cli_options import Device, Model, Store, need, settings_of
from personne.cli_training import Change, DryRun, Preset, say, train

app = typer.Typer()

Images = Annotated[int | None, typer.Option(help="How many pictures to see in all.")]
Batch = Annotated[int | None, typer.Option(help="Pictures in a step.")]
Seed = Annotated[int | None, typer.Option(help="Of everything random.")]
Out = Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")]
Photos = Annotated[list[Path], typer.Argument(metavar="IN...", help="Photos, and folders of photos.")]


@app.command()
def invert(
    *,
    sources: Photos,
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    model: Model = None,
    method: Annotated[str | None, typer.Option(help="encoder, descent, hybrid (the closest that it can).")] = None,
    space: Annotated[str, typer.Option(help="w: takes edits best; w_plus: is closer.")] = "w_plus",
    face: Annotated[int | None, typer.Option(min=0, help="Which of several faces; 0 is the largest.")] = None,
    landmarks: Annotated[str | None, typer.Option(help="Ten numbers: eyes, nose, mouth corners, left first.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are no latents, too.")] = False,
    device: Device = None,
    store: Store = None,
) -> None:
    """Find the latents of faces in photos: NAME.json, and NAME.png, the face beside what the model draws of it."""
    need(worker="onnxruntime")
    settings = settings_of(default_model=model, device=device, store=store)
    from personne.commands.invert import Wanted, invert_photos
    from personne.models_here import models_here

    here = models_here(settings)
    entry = here.named(settings.default_model)
    wanted = Wanted.checked(entry, here, method=method, space=space, face=face, landmarks=landmarks)
    written = invert_photos(entry, sources, out, wanted, settings.worker_config(), force=force)
    typer.echo(f"{len(written)} latents are in {out}.")


@dataset.command("align")
def align(
    *,
    sources: Photos,
    out: Annotated[Path, typer.Option(help="The zip.")],
    resolution: Annotated[int, typer.Option(min=16, max=4096, help="Side of the faces.")],
    smallest: Annotated[int | None, typer.Option(min=1, help="Least side in the photo (half the resolution).")] = None,
    beyond: Annotated[float, typer.Option(min=0, max=1, help="Largest share beyond the photo's edge.")] = 0.25,
    faces: Annotated[str, typer.Option(help="single (others are dropped), largest, or all.")] = "single",
    force: Force = False,
) -> None:
    """Cut the faces out of photos, upright and framed alike, and report what was dropped and why."""
    need(worker="onnxruntime")
    settings = settings_of()
    from personne.commands.align_dataset import AlignWish, align_dataset

    wish = AlignWish(resolution, smallest or max(1, resolution // 2), beyond, faces)
    align_dataset(sources, out, wish, force=force, most_pixels=settings.max_photo_pixels, say=typer.echo)


@train.command("locator")
def train_locator(
    *,
    data: Annotated[Path, typer.Option(help="Aligned faces, with landmarks in their index.csv.")],
    backgrounds: Annotated[Path, typer.Option(help="Photographs without people.")],
    out: Out,
    images: Images = None,
    batch: Batch = None,
    init_from: Annotated[Path | None, typer.Option(help="A run whose first network to begin with.")] = None,
    seed: Seed = None,
    preset: Preset = None,
    change: Change = None,
    dry_run: DryRun = False,
) -> None:
    """Train a face locator; it ends as OUT/locator."""
    need(training="torch", export="onnxscript")
    settings_of()
    from personne.commands.train_locator import train_locator as train_with

    options = {"total_images": images, "batch": batch, "init_from": init_from, "seed": seed}
    asked: dict[str, Any] = {"preset": preset, "options": options, "changes": change or (), "dry_run": dry_run}
    say(train_with(data=data, backgrounds=backgrounds, out=out, **asked))


@train.command("encoder")
def train_encoder(
    *,
    out: Out,
    model: Model = None,
    data: Annotated[Path | None, typer.Option(help="Aligned photos to learn to draw again (none).")] = None,
    images: Images = None,
    batch: Batch = None,
    init_from: Annotated[
        Path | None, typer.Option(help="A run for an earlier snapshot of it, or for half its size.")
    ] = None,
    seed: Seed = None,
    preset: Preset = None,
    change: Change = None,
    dry_run: DryRun = False,
    store: Store = None,
) -> None:
    """Train what finds a generator's latents back, and put it into the model."""
    need(training="torch", export="onnxscript", worker="onnxruntime")
    settings = settings_of(default_model=model, store=store)
    from personne.commands.train_encoder import train_encoder as train_with
    from personne.models_here import models_here

    entry = models_here(settings).named(settings.default_model)
    options = {"total_images": images, "batch": batch, "init_from": init_from, "seed": seed}
    asked: dict[str, Any] = {"preset": preset, "options": options, "changes": change or (), "dry_run": dry_run}
    say(train_with(entry, data=data, out=out, **asked))
