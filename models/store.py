"""The store: a folder of models. A model appears in it whole or not at all, even if its maker is killed.

What is being made lies in a hidden folder beside the models, locked by its process; one whose lock is free was left
behind by a process that died, and goes when the store is next written to.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from models.errors import ModelNotFound, ModelRefused
from models.manifest import MANIFEST_FILE

SCRATCH_PREFIX = ".making-"
DOWNLOADS = ".downloads"
LOCK_FILE = "lock"
REPLACED = "replaced"
MADE = "made"
LONGEST_NAME = 64


class ModelExists(ModelRefused):
    """A model of that name is in the store already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The store has a model {name!r} already; choose another --name, or replace it with --force.")


class Store:
    """Models on this machine, a folder each under the model's name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __contains__(self, name: str) -> bool:
        return (self.root / name).exists()

    @property
    def downloads(self) -> Path:
        """Where downloads wait until they are imported."""
        return self.root / DOWNLOADS

    def names(self) -> list[str]:
        """The folders that look like models, usable or not."""
        return sorted(path.parent.name for path in self.root.glob(f"[!.]*/{MANIFEST_FILE}"))

    def check_free(self, name: str) -> None:
        """Raises ModelExists where the name is taken."""
        if name in self:
            raise ModelExists(name)

    @contextlib.contextmanager
    def making(self, name: str, *, replace: bool = False) -> Iterator[Path]:
        """A path to write a model folder to; when the block ends well it becomes the model `name`.

        Raises ModelExists where the name is taken, unless `replace`.
        """
        if not replace:
            self.check_free(name)
        with self._scratch(name) as scratch:
            folder = scratch / MADE / name
            yield folder
            _finish(folder)
            self._put(folder, name, scratch, replace=replace)

    def remove(self, name: str) -> None:
        """Delete a model. Raises ModelNotFound."""
        if name not in self.names():
            raise ModelNotFound(name, self.names())
        with self._scratch(name) as scratch:
            (self.root / name).rename(scratch / MADE / name)

    def clean(self) -> None:
        """Delete what dead processes left behind; a model that one was just replacing comes back."""
        for scratch in self.root.glob(f"{SCRATCH_PREFIX}*"):
            with contextlib.suppress(OSError), (scratch / LOCK_FILE).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for old in (scratch / REPLACED).glob("*"):
                    if not (self.root / old.name).exists():
                        old.rename(self.root / old.name)
                shutil.rmtree(scratch)

    @contextlib.contextmanager
    def _scratch(self, name: str) -> Iterator[Path]:
        self.root.mkdir(parents=True, exist_ok=True)
        self.clean()
        scratch = Path(tempfile.mkdtemp(dir=self.root, prefix=f"{SCRATCH_PREFIX}{name}-"))
        try:
            # Below, so that a model may be called what the other things in here are.
            (scratch / MADE).mkdir()
            with (scratch / LOCK_FILE).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _put(self, folder: Path, name: str, scratch: Path, *, replace: bool) -> None:
        destination, old = self.root / name, scratch / REPLACED / name
        try:
            if destination.exists():
                # Somebody else may have been quicker.
                if not replace:
                    raise ModelExists(name)
                old.parent.mkdir()
                destination.rename(old)
            folder.rename(destination)
        except BaseException:
            # What was moved aside would go with the scratch.
            if old.exists() and not destination.exists():
                old.rename(destination)
            raise


def check_replaceable(folder: Path) -> None:
    """Raises ModelRefused where a model that is put there would delete something else than a model."""
    if not folder.exists() or holds_model(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    raise ModelRefused(f"{folder} is there already and is no model, so it is not replaced; choose another folder.")


def holds_model(folder: Path) -> bool:
    """Whether it looks like one, usable or not; a manifest.json without graphs is some other program's."""
    try:
        fields = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(fields, dict) and "graphs" in fields


def model_name(text: str) -> str:
    """A model's name made of a file's: small letters, digits, `-` and `_`. "G A (final).PTH" -> "g-a-final-pth"."""
    name = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")
    return name[:LONGEST_NAME].rstrip("-_") or "model"


def check_name(name: str) -> str:
    """The name. Raises ModelRefused where it is none."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise ModelRefused(f"{name!r} is no model name: small letters, digits, - and _, at most {LONGEST_NAME}.")
    return name


def _finish(folder: Path) -> None:
    """Flush every file to disk, readable by whoever may read the folder: the worker may be another user."""
    mode = stat.S_IMODE(folder.stat().st_mode) & 0o666
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            with path.open("rb") as file:
                os.fsync(file.fileno())
