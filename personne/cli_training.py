"""The commands that train."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from personne.cli_options import need, settings_of

train = typer.Typer(help="Train a model.", no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="A folder or zip of aligned pictures.")]
Out = Annotated[Path, typer.Option(help="The run's folder; one that is there already goes on.")]
Resolution = Annotated[int, typer.Option(help="Side of the pictures, a power of two.")]
Preset = Annotated[str | None, typer.Option(help="See docs/training.md (the one that fits the device).")]
Images = Annotated[int | None, typer.Option(help="How many images to see in all.")]
Batch = Annotated[int | None, typer.Option(help="Images in a step.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 (the best there is).")]
InitFrom = Annotated[Path | None, typer.Option(help="A run, snapshot, model or checkpoint to start from.")]
Seed = Annotated[int | None, typer.Option(help="Of everything random.")]
Change = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: any other setting.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, and what it costs.")]


def _train(recipe: str, *, images: int | None, change: list[str] | None, **options: Any) -> None:
    need(training="torch")
    settings_of()
    from personne.commands.train_recipe import train_recipe

    own = {name: options.pop(name) for name in ("data", "out", "preset", "dry_run")}
    say(train_recipe(recipe, **own, options={**options, "total_images": images}, changes=change or ()))


def say(lines: Iterable[str]) -> None:
    """What a command that trains has to say, in lines."""
    for line in lines:
        typer.echo(line)


def _of_portraits(recipe: str, does: str, resolution: Any = 64) -> None:
    # Typer reads options off a signature, and all recipes of portraits share one; `...` must be given.
    @train.command(recipe, help=does)
    def command(
        *,
        data: Data,
        out: Out,
        resolution: Resolution = resolution,
        preset: Preset = None,
        images: Images = None,
        batch: Batch = None,
        device: Device = None,
        init_from: InitFrom = None,
        seed: Seed = None,
        change: Change = None,
        dry_run: DryRun = False,
    ) -> None:
        options = locals()
        _train(**{"recipe": recipe, **options})


_of_portraits("faces", "Train a generator of faces (StyleGAN2).", resolution=...)
_of_portraits("stylegan1", "Train StyleGAN, which adapts instance norms, from coarse to fine.")
_of_portraits("pggan", "Train Progressive GAN, from coarse to fine.")
_of_portraits("dcgan", "Train DCGAN, conditional where preset and data have labels.")
_of_portraits("autoencoder", "Train an autoencoder: variational, plain or adversarial.")


@train.command("translation")
def train_translation(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of the pictures to translate.")],
    style: Annotated[Path | None, typer.Option(help="Pictures whose look is wanted (unpaired presets).")] = None,
    also: Annotated[Path | None, typer.Option(help="A few more to translate: portraits beside landscapes.")] = None,
    out: Out,
    preset: Preset = None,
    resolution: Annotated[int | None, typer.Option(help="Side of the square crops.")] = None,
    images: Annotated[int | None, typer.Option(help="How many pictures to translate in all.")] = None,
    batch: Batch = None,
    device: Device = None,
    init_from: InitFrom = None,
    seed: Seed = None,
    change: Change = None,
    dry_run: DryRun = False,
) -> None:
    """Train a translator of pictures (CycleGAN, CUT, pix2pix)."""
    _train("translation", **locals())


@train.command("features")
def train_features(
    *,
    data: Annotated[Path, typer.Option(help="A folder or zip of pictures of the kind to be measured.")],
    out: Out,
    images: Images = None,
    batch: Batch = None,
    device: Device = None,
    seed: Seed = None,
    change: Change = None,
    dry_run: DryRun = False,
) -> None:
    """Train the encoder that `personne evaluate` compares pictures with."""
    need(training="torch")
    settings_of()
    from personne.commands.train_features import train_features as train_with

    options = {"total_images": images, "batch": batch, "device": device, "seed": seed}
    say(train_with(data=data, out=out, options=options, changes=change or (), dry_run=dry_run))


@train.command("estimators")
def train_estimators(
    *,
    data: Annotated[Path, typer.Option(help="A folder of aligned portraits, index.csv with labels beside it.")],
    out: Annotated[Path, typer.Option(help="The folder to write the graph and its accuracy to.")],
    epochs: Annotated[int, typer.Option(min=1, help="How often each portrait is seen.")] = 80,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    change: Change = None,
    dry_run: DryRun = False,
) -> None:
    """Train the estimators of attributes, with which directions are found and measured."""
    need(training="torch", export="onnxscript")
    settings_of()
    from personne.commands import train_estimators as story
    from personne.commands.run_options import changed
    from training.estimators.loop import EstimatorConfig

    config = changed(EstimatorConfig(data, epochs=epochs, seed=seed), {}, change or ())
    if dry_run:
        say(story.dry_run(config))
    else:
        story.train_estimators(config, out)
