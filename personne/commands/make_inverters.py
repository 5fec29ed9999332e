"""What leads from a face back to a generator's latent, put beside its graphs: the encoder and the gradient."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from models.catalogue import ModelEntry
from models.export.finding_graphs import write_encoder
from models.export.gradient_graph import write_gradient
from models.export.rebuild import rebuild
from models.manifest import MANIFEST_FILE, GraphSpec, InverterName
from models.networks.encoder import EncoderNetwork

Told = Callable[[str], None]


def write_inverters(entry: ModelEntry, encoder: EncoderNetwork | None, told: Told = lambda _: None) -> ModelEntry:
    """Write both graphs into the model's folder, and into its manifest; without an encoder the gradient alone.

    The model's digest stays: no face changes. Raises ModelsError, WrongKindOfModel, OSError.
    """
    manifest, folder = entry.generator, entry.folder
    with tempfile.TemporaryDirectory(dir=folder, prefix=".inverters-") as scratch:
        graphs: dict[InverterName, GraphSpec] = {}
        if encoder is not None:
            told("drawing the encoder's graph")
            write_encoder(encoder, Path(scratch) / "encoder")
            graphs["encoder"] = _put(Path(scratch) / "encoder", "encoder", folder)
        told("drawing the gradient's graph")
        write_gradient(rebuild(entry), encoder, Path(scratch) / "gradient")
        graphs["gradient"] = _put(Path(scratch) / "gradient", "gradient", folder)
        changed = manifest.model_copy(update={"inverters": graphs})
        written = Path(scratch) / MANIFEST_FILE
        written.write_text(changed.model_dump_json(indent=2) + "\n", encoding="utf-8")
        written.replace(folder / MANIFEST_FILE)
    kept = {graph.file for graph in graphs.values()}
    for old in manifest.inverters.values():
        if old.file not in kept:
            (folder / old.file).unlink(missing_ok=True)
    return ModelEntry(changed, folder, entry.source, entry.directions)


def _put(path: Path, name: InverterName, folder: Path) -> GraphSpec:
    """Into the folder, under a name that tells its content: whoever has the old one open is not disturbed."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    target = folder / f"{name}-{digest[:8]}.onnx"
    path.replace(target)
    return GraphSpec(file=target.name, sha256=digest, bytes=len(content))
