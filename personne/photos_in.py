"""Photos that a command is given, files and folders, and what becomes of them: whole or not at all, and never over a
photo."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from personne.errors import NothingToTranslate, WouldOverwrite

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def photos_in(sources: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Photos, each with its place under the folder to write to. A file that was named is one, whatever its ending.

    Raises NothingToTranslate where there is none.
    """
    found = [place for source in sources for place in _places(source)]
    if not found:
        raise NothingToTranslate([str(source) for source in sources])
    return found


def check_targets(pairs: Iterable[tuple[Path, Sequence[Path]]], doing: str) -> None:
    """Photos, each with the files that it becomes. doing: what is done to them, "translate".

    Raises WouldOverwrite where a file is one of the photos, or two photos would become one file.
    """
    pairs = list(pairs)
    originals = {photo.resolve() for photo, _ in pairs}
    taken: dict[Path, Path] = {}
    for photo, target in ((photo, target) for photo, targets in pairs for target in targets):
        place = target.resolve()
        if place in originals:
            raise WouldOverwrite(f"{target} is one of the photos", "choose another folder with --out")
        if place in taken:
            raise WouldOverwrite(f"{photo} and {taken[place]} would both be {target}", f"{doing} them one by one")
        taken[place] = photo


def write_whole(target: Path, body: bytes) -> None:
    """Whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(f".{target.name}.partial")
    begun.write_bytes(body)
    begun.replace(target)


def _places(source: Path) -> list[tuple[Path, Path]]:
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        return [(path, path.relative_to(source)) for path in found]
    return [(source, Path(source.name))]
