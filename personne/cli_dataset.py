"""The commands about data sets."""

from pathlib import Path
from typing import Annotated

import typer

from personne.cli_options import need, settings_of

dataset = typer.Typer(help="Make a data set of pictures.", no_args_is_help=True)

Source = Annotated[Path, typer.Argument(metavar="FOLDER_OR_ZIP", help="Pictures, in folders too.")]
Labels = Annotated[Path | None, typer.Option(help="CSV with a column file, and others (the index of the pictures).")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


@dataset.command("inspect")
def inspect(
    *,
    source: Source,
    labels: Labels = None,
    smallest: Annotated[int, typer.Option(min=1, help="Pixels under which a picture is tiny.")] = 64,
    out: Annotated[Path | None, typer.Option(help="JSON file for all that was found.")] = None,
) -> None:
    """Report broken, tiny, non-square and duplicate pictures, and what lies on both sides of a split."""
    need(training="torch")
    settings_of()
    from personne.commands.dataset import inspect_dataset

    inspect_dataset(source, labels=labels, smallest=smallest, out=out, say=typer.echo)


@dataset.command("pack")
def pack(
    *,
    source: Source,
    out: Annotated[Path, typer.Option(help="The zip.")],
    resolution: Annotated[int, typer.Option(min=4, help="Side of the pictures in it.")],
    split: Annotated[str, typer.Option(help="Which split of an index.")] = "train",
    labels: Labels = None,
    label: Annotated[str | None, typer.Option(help="Column whose values become classes.")] = None,
    unlabelled: Annotated[str | None, typer.Option(help="Class of pictures without a value (left out).")] = None,
    smallest: Annotated[int | None, typer.Option(min=1, help="Least side taken (half the resolution).")] = None,
    keep_duplicates: Annotated[bool, typer.Option("--keep-duplicates", help="Take duplicates too.")] = False,
    name: Annotated[str | None, typer.Option(help="What the pictures are called in a model's card.")] = None,
    licence: Annotated[str | None, typer.Option(help="Of the pictures, for the card.")] = None,
    attribution: Annotated[str, typer.Option(help="Whom the licence asks to be named.")] = "",
    sources: Annotated[Path | None, typer.Option(help="JSON: the same by value of the column source.")] = None,
    force: Force = False,
) -> None:
    """Make one zip of pictures, as the StyleGAN tools read it, with labels, licence and origin."""
    need(training="torch")
    settings_of()
    from personne.commands.dataset import PackWish, pack_dataset

    kept = ("resolution", "split", "label", "unlabelled", "smallest", "keep_duplicates")
    given = locals()
    wish = PackWish(**{key: given[key] for key in (*kept, "name", "licence", "attribution", "sources")})
    pack_dataset(source, out, wish, labels=labels, force=force, say=typer.echo)


@dataset.command("split")
def split(
    *,
    source: Source,
    out: Annotated[Path | None, typer.Option(help="The index to write (beside the source, called like it).")] = None,
    labels: Labels = None,
    by: Annotated[str, typer.Option(help="Column whose values stay together.")] = "person",
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of the pictures to hold out.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
    force: Force = False,
) -> None:
    """Hold pictures out of training: no person and no duplicate on both sides."""
    need(training="torch")
    settings_of()
    from personne.commands.dataset import split_dataset

    split_dataset(source, out, labels=labels, by=by, share=test, seed=seed, force=force, say=typer.echo)
