"""personne import of a model's folder: what was exported elsewhere goes into this store, checked and whole."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from models.catalogue import ModelEntry, check_file, check_only_name, find_models, open_model
from models.errors import ModelRefused
from models.manifest import MANIFEST_FILE, GeneratorManifest, read_manifest
from models.store import Store, check_name


def is_model(source: Path) -> bool:
    """Whether it is a model's folder, and not a checkpoint or a run."""
    return (source / MANIFEST_FILE).is_file()


def import_folder(source: Path, store: Store, *, name: str | None, force: bool) -> ModelEntry:
    """The model as it is in the store from now on. name: another one to go by.

    Raises ModelRefused, ModelExists, SameGraphs where it is here already under another name.
    """
    called = check_name(name or open_model(source, "store").manifest.name)
    with store.making(called, replace=force) as folder:
        check_only_name(read_manifest(source), called, find_models(store.root))
        # Files alone: a link in somebody's folder could lead to whatever lies on this machine.
        shutil.copytree(source, folder, symlinks=True, ignore=_no_files)
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        (folder / MANIFEST_FILE).write_text(json.dumps({**manifest, "name": called}, indent=2) + "\n", encoding="utf-8")
        entry = open_model(folder, "store")
        if entry.directions_refused:
            raise ModelRefused(entry.directions_refused)
        if isinstance(entry.manifest, GeneratorManifest):
            # A worker looks at these when somebody asks for them, long after.
            for inverter, graph in entry.manifest.inverters.items():
                check_file(folder, inverter, graph)
    return open_model(store.root / called, "store")


def _no_files(folder: str, names: Iterable[str]) -> set[str]:
    paths = {name: Path(folder, name) for name in names}
    return {name for name, path in paths.items() if path.is_symlink() or not (path.is_file() or path.is_dir())}
