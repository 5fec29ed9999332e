"""Photos that a command is given, files and folders, and files that appear whole or not at all."""

from collections.abc import Sequence
from pathlib import Path

from personne.errors import NothingToTranslate

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def photos_in(sources: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Photos, each with its place under the folder to write to. A file that was named is one, whatever its ending.

    Raises NothingToTranslate where there is none.
    """
    found = [place for source in sources for place in _places(source)]
    if not found:
        raise NothingToTranslate([str(source) for source in sources])
    return found


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
