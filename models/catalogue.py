"""Which models there are: the bundled and those in the store, each checked before anything opens it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from models.direction_files import read_directions
from models.directions import NO_DIRECTIONS, Directions, DirectionsRefused
from models.errors import ModelNotFound, ModelRefused, WrongKindOfModel
from models.manifest import (
    MANIFEST_FILE,
    GeneratorManifest,
    GraphName,
    GraphSpec,
    TranslatorManifest,
    read_manifest,
)

BUNDLED = Path(__file__).parent / "bundled"
Source = Literal["bundled", "store"]


@dataclass(frozen=True)
class ModelEntry:
    """A model that was found and checked. directions: of its attributes. directions_refused: why it has none although
    its manifest names some; the model does without."""

    manifest: GeneratorManifest | TranslatorManifest
    folder: Path
    source: Source
    directions: Directions = NO_DIRECTIONS
    directions_refused: str = ""

    def graph_path(self, graph: GraphName) -> Path:
        return self.folder / self.manifest.graphs[graph].file

    @property
    def generator(self) -> GeneratorManifest:
        """The manifest of a generator of faces. Raises WrongKindOfModel."""
        if isinstance(self.manifest, GeneratorManifest):
            return self.manifest
        raise WrongKindOfModel(self.manifest.name, "translates pictures", "generate faces")

    @property
    def translator(self) -> TranslatorManifest:
        """The manifest of a translator. Raises WrongKindOfModel."""
        if isinstance(self.manifest, TranslatorManifest):
            return self.manifest
        raise WrongKindOfModel(self.manifest.name, "generates faces", "translate pictures")


@dataclass(frozen=True)
class Refusal:
    """A folder that looked like a model and was refused, with the sentence that says why."""

    folder: Path
    reason: str


class SameGraphs(ModelRefused):
    """A model's graphs are here already under another name."""

    def __init__(self, name: str, kept: str) -> None:
        super().__init__(
            f"The model {name!r} has the very graphs of {kept!r}, and one model goes by one name: use {kept!r}."
        )


class Catalogue:
    """The models that this process may use, each under one name: `catalogue_of` sees to it.

    A model in the store wins over a bundled one of the same name.
    """

    def __init__(self, entries: dict[str, ModelEntry], refusals: tuple[Refusal, ...] = ()) -> None:
        self._by_name = entries
        self._by_digest = {entry.manifest.digest: entry for entry in entries.values()}
        self.refusals = refusals

    @property
    def now(self) -> "Catalogue":
        """Itself: a Shelf on which nothing changes."""
        return self

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter(self._by_name.values())

    def named(self, name: str) -> ModelEntry:
        """Raises ModelNotFound."""
        if name not in self._by_name:
            raise ModelNotFound(name, sorted(self._by_name))
        return self._by_name[name]

    def with_digest(self, digest: str) -> ModelEntry:
        """Raises ModelNotFound."""
        if digest not in self._by_digest:
            raise ModelNotFound(digest, sorted(self._by_digest))
        return self._by_digest[digest]

    def __contains__(self, digest: str) -> bool:
        return digest in self._by_digest


class Shelf(Protocol):
    """Whatever knows which models there are right now: a Catalogue, or a LiveCatalogue that follows the store."""

    @property
    def now(self) -> Catalogue: ...


def sha256_of(path: Path) -> str:
    """Of a whole file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_model(folder: Path, source: Source, hash_of: Callable[[Path], str] = sha256_of) -> ModelEntry:
    """A checked model. Raises ModelRefused when a file is missing or its hash is wrong."""
    manifest = read_manifest(folder)
    for name, graph in manifest.graphs.items():
        check_file(folder, name, graph, hash_of)
    try:
        return ModelEntry(manifest, folder, source, _directions(folder, manifest, hash_of))
    except ModelRefused as error:
        return ModelEntry(manifest, folder, source, directions_refused=str(error))


def _directions(
    folder: Path, manifest: GeneratorManifest | TranslatorManifest, hash_of: Callable[[Path], str]
) -> Directions:
    if not isinstance(manifest, GeneratorManifest) or manifest.directions is None:
        return NO_DIRECTIONS
    path, wanted = folder / manifest.directions.file, manifest.directions.sha256
    if not path.is_file():
        raise DirectionsRefused(f"{folder}: the directions {path.name} are missing.")
    if hash_of(path) != wanted:
        raise DirectionsRefused(f"{path} has the wrong hash; run `personne directions` again.")
    return read_directions(path, manifest)


def check_file(folder: Path, name: str, graph: GraphSpec, hash_of: Callable[[Path], str] = sha256_of) -> None:
    """Raises ModelRefused unless the graph's file is there and hashes to what the manifest says."""
    path = folder / graph.file
    if not path.is_file():
        raise ModelRefused(f"{folder}: the {name} graph {graph.file} is missing.")
    found = hash_of(path)
    if found != graph.sha256:
        raise ModelRefused(
            f"{path} has the wrong hash: {found[:12]}… instead of {graph.sha256[:12]}…; "
            "export or download the model again."
        )


def find_models(store: Path | None, bundled: Path = BUNDLED) -> Catalogue:
    """Every usable model; what is refused is in `Catalogue.refusals`, so that one broken folder stops nobody."""
    return catalogue_of(opened(folder, source) for folder, source in model_folders(store, bundled))


def opened(folder: Path, source: Source, hash_of: Callable[[Path], str] = sha256_of) -> ModelEntry | Refusal:
    """What a folder turns out to be."""
    try:
        return open_model(folder, source, hash_of)
    except ModelRefused as error:
        return Refusal(folder, str(error))
    except OSError as error:
        # A folder that vanishes while it is read, or that may not be read.
        return Refusal(folder, f"{folder} cannot be read: {error.strerror}.")


def catalogue_of(found: Iterable[ModelEntry | Refusal]) -> Catalogue:
    """A catalogue; of two models with one name the later wins, of two names for one model the earlier.

    A later one of the same name takes the earlier one's place. The name that is left out is among the refusals.
    """
    by_name: dict[str, ModelEntry] = {}
    refusals: list[Refusal] = []
    for one in found:
        if isinstance(one, Refusal):
            refusals.append(one)
        else:
            by_name[one.manifest.name] = one
    entries: dict[str, ModelEntry] = {}
    names: dict[str, str] = {}
    for name, entry in by_name.items():
        # Jobs and addresses mean a model by its digest: of two entries with one, a caller who means the first would
        # get the name and the directions of the second.
        kept = names.setdefault(entry.manifest.digest, name)
        if kept == name:
            entries[name] = entry
        else:
            refusals.append(Refusal(entry.folder, f"{entry.folder} is left out. {SameGraphs(name, kept)}"))
    return Catalogue(entries, tuple(refusals))


def check_only_name(manifest: GeneratorManifest | TranslatorManifest, name: str, here: Catalogue) -> None:
    """Raises SameGraphs where the model is here already under another name than this."""
    if manifest.digest in here and (kept := here.with_digest(manifest.digest).manifest.name) != name:
        raise SameGraphs(name, kept)


def model_folders(store: Path | None, bundled: Path = BUNDLED) -> list[tuple[Path, Source]]:
    """Folders that hold a manifest: the bundled ones, then those of the store, each in the order of their names."""
    roots: tuple[tuple[Path | None, Source], ...] = ((bundled, "bundled"), (store, "store"))
    return [(folder, source) for root, source in roots for folder in _with_manifest(root)]


def _with_manifest(root: Path | None) -> list[Path]:
    if root is None or not root.is_dir():
        return []
    return sorted(path.parent for path in root.glob(f"*/{MANIFEST_FILE}"))
