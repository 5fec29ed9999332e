"""The commands that train."""

from pathlib import Path
from typing import Annotated

import typer

from personne.cli_options import need, settings_of

train = typer.Typer(help="Train a model.", no_args_is_help=True)


@train.command("faces")
def train_faces(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of aligned pictures.")],
    out: Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")],
    resolution: Annotated[int, typer.Option(help="Side of the pictures, a power of two.")],
    preset: Annotated[str | None, typer.Option(help="faces, faces_on_two_cores (which one fits the device).")] = None,
    images: Annotated[int | None, typer.Option(help="How many images to see in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images in a step.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 (the best there is).")] = None,
    init_from: Annotated[Path | None, typer.Option(help="A run or snapshot to start from.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
) -> None:
    """Train a generator of faces (StyleGAN2)."""
    need(training="torch")
    settings_of()
    from personne.commands.train_faces import train_faces as train_with

    options = {"total_images": images, "batch": batch, "device": device, "init_from": init_from, "seed": seed}
    train_with(data=data, out=out, resolution=resolution, preset=preset, options=options)


@train.command("translation")
def train_translation(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of the pictures to translate.")],
    style: Annotated[Path | None, typer.Option(help="Pictures whose look is wanted (unpaired presets).")] = None,
    also: Annotated[Path | None, typer.Option(help="A few more to translate: portraits beside landscapes.")] = None,
    out: Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")],
    preset: Annotated[str | None, typer.Option(help="See docs/training.md (painting, to fit the device).")] = None,
    resolution: Annotated[int | None, typer.Option(help="Side of the square crops.")] = None,
    images: Annotated[int | None, typer.Option(help="How many pictures to translate in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures in a step.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 (the best there is).")] = None,
    init_from: Annotated[Path | None, typer.Option(help="A run or snapshot to start from.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: any other setting.")] = None,
) -> None:
    """Train a translator of pictures (CycleGAN, CUT, pix2pix)."""
    need(training="torch")
    settings_of()
    from personne.commands.train_translation import train_translation as train_with

    options = {"total_images": images, "resolution": resolution, "batch": batch, "device": device, "also": also}
    options |= {"init_from": init_from, "seed": seed}
    train_with(data=data, style=style, out=out, preset=preset, options=options, changes=change or ())


@train.command("features")
def train_features(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of pictures of the kind to be measured.")],
    out: Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")],
    images: Annotated[int | None, typer.Option(help="How many images to see in all.")] = None,
    batch: Annotated[int | None, typer.Option(help="Images in a step.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 (the best there is).")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
) -> None:
    """Train the encoder that `personne evaluate` compares pictures with."""
    need(training="torch")
    settings_of()
    from personne.commands.train_features import train_features as train_with

    options = {"total_images": images, "batch": batch, "device": device, "seed": seed}
    typer.echo(f"The encoder is in {train_with(data=data, out=out, options=options)}.")
