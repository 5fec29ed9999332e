"""The face of a stored latent, mixed with those of seeds and moved along directions, be they only just taught."""
# L style layer, D latent width, R side of the picture

from collections.abc import Callable, Mapping

import numpy as np

from jobs.contract import LATENT, TAUGHT, EditJob, GenerateJob
from marks.recipe import Ingredient, Recipe
from marks.stamp import UNMARKED, Stamp
from models.direction_files import directions_from_bytes
from models.directions import Directions
from models.engines.engine import Array, Float32
from models.errors import ModelRefused
from models.manifest import GeneratorManifest
from models.mixing import mix_text
from models.transforms import make_transform
from worker.errors import JobRefused
from worker.loaded_model import LoadedGenerator
from worker.pictures import EncodedPicture, Picture, resized, stamped
from worker.tasks.generate import mapping_inputs, mixed
from worker.tasks.offsets import DirectionsOf, edit_parameters, offset_of, without_directions
from worker.tasks.solo import SoloTask, Step


class EditTask(SoloTask[EditJob, Float32, LoadedGenerator]):
    """Stored ws, or those of a seed -> truncated -> layers of others -> edits added -> synthesis -> the picture
    resized, marked and encoded.

    stamp: the marks that pictures leave with. name_of, directions_of: a model's name and directions, by its digest.
    """

    works_with = GeneratorManifest

    def __init__(
        self,
        stamp: Stamp = UNMARKED,
        name_of: Callable[[str], str] = str,
        directions_of: DirectionsOf = without_directions,
    ) -> None:
        self._stamp = stamp
        self._name_of = name_of
        self._directions_of = directions_of

    def prepare(self, job: EditJob, inputs: Mapping[str, bytes], model: LoadedGenerator) -> Float32:
        """ws [1, L, D]. Raises JobRefused for bytes that are no latent of this model, and for edits that move z: a
        stored latent has none."""
        manifest = model.manifest
        ws_BLD = _ws_of_seed(job, model) if job.seed is not None else _stored_ws(job, inputs, manifest)
        if job.mix:
            ws_BLD = _with_layers_of_others(job, ws_BLD, model)
        known = self._directions_of(job.model)
        if TAUGHT in inputs:
            known = with_taught(known, inputs[TAUGHT], manifest)
        offset = offset_of(job, known, manifest)
        if offset.z is not None:
            names = ", ".join(name for name, _ in job.edits)
            raise JobRefused(f"A stored latent has no z, in which {names} would move it.")
        return ws_BLD if offset.ws is None else ws_BLD + offset.ws

    def run(self, job: EditJob, prepared: Float32, model: LoadedGenerator, step: Step) -> Picture:  # noqa: ARG002
        """[R, R, 3] uint8."""
        inputs: dict[str, Array] = {"ws": prepared, "noise_strength": np.ones(1, np.float32)}
        if model.manifest.takes_transform:
            inputs["transform"] = make_transform(0.0, 0.0, 0.0)[None].astype(np.float32)
        picture: Picture = model.synthesis.run(inputs)["picture"][0]
        return picture

    def finish(self, job: EditJob, picture: Array, inputs: Mapping[str, bytes]) -> EncodedPicture:  # noqa: ARG002
        """One picture as the job wants it."""
        parameters = {"truncation_psi": job.truncation_psi, "size": job.size, **edit_parameters(job)}
        parameters |= {"mix": mix_text(job.mix)} if job.mix else {}
        # A stored latent is what an inversion found in somebody's photo.
        of_photo = Ingredient() if job.seed is None else None
        recipe = Recipe(job.kind, self._name_of(job.model), job.model, job.seed, parameters, of_photo)
        return stamped(resized(picture, job.size), job.format, recipe, self._stamp)


def with_taught(known: Directions, content: bytes, manifest: GeneratorManifest) -> Directions:
    """A model's directions, and those of a file beside. Raises JobRefused."""
    try:
        taught = directions_from_bytes(content, manifest)
        return Directions([*{**known, **taught}.values()], known.digest)
    except ModelRefused as error:
        raise JobRefused(f"The direction that was taught cannot be used: {error}") from error


def _ws_of_seed(job: EditJob, model: LoadedGenerator) -> Float32:
    face = GenerateJob(job.model, job.seed or 0, job.truncation_psi, job.size, job.format)
    ws_1LD: Float32 = model.mapping.run(mapping_inputs([face], model.manifest))["ws"]
    return ws_1LD


def _stored_ws(job: EditJob, inputs: Mapping[str, bytes], manifest: GeneratorManifest) -> Float32:
    if LATENT not in inputs:
        raise JobRefused("The latent's time to live passed before its turn came; ask for it again.")
    ws_1LD = read_latent(inputs[LATENT], manifest)[None]
    mean_D = np.array(manifest.w_avg, np.float32)
    return mean_D + np.float32(job.truncation_psi) * (ws_1LD - mean_D)


def _with_layers_of_others(job: EditJob, ws_BLD: Float32, model: LoadedGenerator) -> Float32:
    faces = [GenerateJob(job.model, seed, job.truncation_psi, job.size, job.format) for seed, *_ in job.mix]
    others_MLD = model.mapping.run(mapping_inputs(faces, model.manifest))["ws"]
    at_M3 = np.array([(0, first, last) for _, first, last, _ in job.mix])
    together: Float32 = mixed(ws_BLD, others_MLD, at_M3, np.array([mix[3] for mix in job.mix], np.float32))
    return together


def read_latent(content: bytes, manifest: GeneratorManifest) -> Float32:
    """Raw little-endian float32 -> ws [L, D]. Raises JobRefused."""
    wanted = 4 * manifest.num_ws * manifest.w_dim
    if len(content) != wanted:
        raise JobRefused(f"A latent of {manifest.name!r} has {wanted} bytes; this one has {len(content)}.")
    ws_LD = np.frombuffer(content, "<f4").reshape(manifest.num_ws, manifest.w_dim).astype(np.float32)
    if not np.isfinite(ws_LD).all():
        raise JobRefused("The latent has numbers that are not finite.")
    return ws_LD
