"""Which network a file's tensors are of: a table of layouts, each with the tensor names that only it has."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from models.checkpoints import cyclegan, genforce, rosinality
from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.state_dicts import StateDict, describe, find_state_dicts
from models.checkpoints.strangers import has_all, name_stranger
from models.checkpoints.stylegan2_names import kwargs_from_tensors, with_w_avg
from models.networks import dcgan, stylegan3

PAPER = "pix2pix-paper"
OFFICIAL = "tensors under the official names"


@dataclass(frozen=True)
class Request:
    """What the person who imports says, and what lies beside the file.

    kind: one of KINDS, where the file leaves a choice. part: which of several generators. described: family and kwargs
    of a file of our own, from the JSON beside it.
    """

    kind: str | None = None
    part: str | None = None
    described: Mapping[str, Any] = field(default_factory=dict)


def _stylegan2(found: StateDict) -> Checkpoint:
    kwargs = kwargs_from_tensors(found.tensors)
    return Checkpoint("stylegan2", kwargs, with_w_avg(kwargs, found.tensors), OFFICIAL)


def _stylegan3(found: StateDict) -> Checkpoint:
    return Checkpoint("stylegan3", stylegan3.kwargs_from_tensors(found.tensors), found.tensors, OFFICIAL)


def _dcgan(found: StateDict) -> Checkpoint:
    return Checkpoint("dcgan", dcgan.kwargs_from_tensors(found.tensors), found.tensors, OFFICIAL)


@dataclass(frozen=True)
class Layout:
    """A family under certain tensor names. marks: patterns of names that tell it from all others."""

    family: str
    marks: Sequence[str]
    read: Callable[[StateDict], Checkpoint]


LAYOUTS = (
    Layout("stylegan2", (r"synthesis\.b4\.const",), _stylegan2),
    Layout("stylegan3", (r"synthesis\.input\.freqs",), _stylegan3),
    Layout("stylegan2", (r"(decoder\.)?input\.input", r"(decoder\.)?style\.1\.weight"), rosinality.read),
    Layout("stylegan1", (r"mapping\.dense0\.linear\.weight", r"synthesis\.layer1\..*"), genforce.read_stylegan),
    Layout("pggan", (r"layer0\.(conv\.)?weight", r"output0\.conv\.weight"), genforce.read_pggan),
    Layout("dcgan", (r"main\.0\.weight", r"main\.1\.running_mean"), _dcgan),
    Layout("cyclegan", (r"model\.1\.weight", r"model\.10\.conv_block\.1\.weight"), cyclegan.read_resnet),
    Layout("pix2pix", (r"model\.model\.0\.weight", r"model\.model\.1\.model\.1\.weight"), cyclegan.read_unet),
)
KINDS = (*dict.fromkeys(layout.family for layout in LAYOUTS), PAPER)
TRANSLATORS = ("cyclegan", "pix2pix")


def recognise(content: Any, request: Request) -> Checkpoint:
    """The checkpoint in what a container holds. Raises CheckpointRefused, and says what was seen instead."""
    found = find_state_dicts(content)
    if request.part is not None:
        found = [one for one in found if one.place == request.part]
        if not found:
            raise CheckpointRefused(f"The file has no part {request.part!r} that is a dictionary of tensors.")
    matches = [(one, layout) for one in found for layout in LAYOUTS if has_all(one.tensors, layout.marks)]
    if not matches:
        raise CheckpointRefused(_unknown(found, content))
    one, layout = _choose(matches, request)
    try:
        checkpoint = _read(one, layout, request)
    except ValueError as error:
        raise CheckpointRefused(f"The file cannot be imported: {error}.") from error
    return plain(checkpoint, _notes(one, matches))


def _read(one: StateDict, layout: Layout, request: Request) -> Checkpoint:
    if request.described.get("family") == layout.family:
        kwargs = dict(request.described["kwargs"])
        return Checkpoint(layout.family, kwargs, one.tensors, "a checkpoint of personne")
    if request.kind != PAPER:
        return layout.read(one)
    reader = cyclegan.read_resnet if layout.family == "cyclegan" else cyclegan.read_unet
    return reader(one, as_paper=True)


def _choose(matches: Sequence[tuple[StateDict, Layout]], request: Request) -> tuple[StateDict, Layout]:
    """The generator to take: averages first (see PREFERRED). Raises CheckpointRefused where two have equal claims."""
    if request.kind is not None:
        wanted = TRANSLATORS if request.kind == PAPER else (request.kind,)
        fitting = [match for match in matches if match[1].family in wanted]
        if not fitting:
            raise CheckpointRefused(f"The file holds a {matches[0][1].family} network; --kind says {request.kind}.")
        matches = fitting
    first = matches[0]
    if tied := [one.place for one, _ in matches if one.rank == first[0].rank][1:]:
        places = ", ".join(repr(place) for place in (first[0].place, *tied))
        raise CheckpointRefused(f"The file holds several generators: {places}; choose one with --part.")
    return first


def _notes(one: StateDict, matches: Sequence[tuple[StateDict, Layout]]) -> tuple[str, ...]:
    others = [other.place for other, _ in matches if other is not one]
    return (f"Of the generators in the file, {one.place!r} was taken.",) if others else ()


def plain(checkpoint: Checkpoint, notes: tuple[str, ...] = ()) -> Checkpoint:
    """With every float as float32, in memory of its own. Raises CheckpointRefused where a number is not finite."""
    tensors = {}
    for name, tensor in checkpoint.tensors.items():
        own = tensor.detach().to(torch.float32 if tensor.is_floating_point() else tensor.dtype).contiguous()
        if not bool(own.isfinite().all()):
            raise CheckpointRefused(f"The tensor {name!r} of the file holds numbers that are not finite.")
        tensors[name] = own
    return dataclasses.replace(checkpoint, tensors=tensors, notes=(*checkpoint.notes, *notes))


def _unknown(found: list[StateDict], content: Any) -> str:
    if what := name_stranger(found):
        return f"The file holds {what}, which cannot be served."
    return f"The file is of no known layout: it holds {describe(found, content)}."
