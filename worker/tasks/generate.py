"""A face from a seed, mixed with others and moved along the directions of the attributes that the job names."""
# B batch, M mixes of all jobs, L style layer, D latent width, Z latent, Y label, R side of the picture

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from jobs.contract import GenerateJob, GridJob, MorphJob, PictureFormat
from marks.recipe import Plain, Recipe
from marks.stamp import UNMARKED, Stamp
from models.engines.engine import Array, Float32
from models.latents import seed_to_z
from models.manifest import GeneratorManifest
from models.mixing import mix_text
from models.transforms import make_transform
from worker.loaded_model import LoadedGenerator
from worker.pictures import EncodedPicture, Picture, resized, stamped
from worker.tasks.offsets import DirectionsOf, edit_parameters, offset_of, without_directions

REHEARSED_SIDE = 256
"""Large enough for the watermark."""


class GenerateTask:
    """Seeds -> z -> mapping, truncated per job -> layers of others -> edits added -> synthesis -> each picture resized,
    marked and encoded.

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

    def prepare(self, jobs: Sequence[GenerateJob], model: LoadedGenerator) -> dict[str, Array]:
        """The inputs of the mapping graph, `transform` for a synthesis graph that takes one, `ws_offset` where edits
        move ws, and with mixes what `mapping_inputs` gives of the other seeds, as `mix_z` and so on, beside `mix_at`
        [M, 3] (a job's place, first layer, last layer) and `mix_share` [M]. A batch without edits or mixes costs
        nothing more."""
        manifest = model.manifest
        inputs = mapping_inputs(jobs, manifest)
        if any(job.mix for job in jobs):
            inputs |= _mixes(jobs, manifest)
        if manifest.takes_transform:
            moves = [make_transform(job.translate_x, job.translate_y, job.rotate) for job in jobs]
            inputs["transform"] = np.stack(moves).astype(np.float32)
        if any(job.edits for job in jobs):
            self._move(inputs, jobs, manifest)
        return inputs

    def run(self, inputs: Mapping[str, Array], model: LoadedGenerator) -> Array:
        """Pictures [B, R, R, 3] uint8."""
        of_synthesis = {name: inputs[name] for name in ("transform",) if name in inputs}
        return pictures_of(self.ws(inputs, model), model, of_synthesis)

    def ws(self, inputs: Mapping[str, Array], model: LoadedGenerator) -> Array:
        """[B, L, D], mixed and moved."""
        of_mapping = {name: inputs[name] for name in ("z", "psi", "c") if name in inputs}
        ws_BLD = model.mapping.run(of_mapping)["ws"]
        if "mix_at" in inputs:
            others_MLD = model.mapping.run({name: inputs[f"mix_{name}"] for name in of_mapping})["ws"]
            ws_BLD = mixed(ws_BLD, others_MLD, inputs["mix_at"], inputs["mix_share"])
        if "ws_offset" in inputs:
            ws_BLD = ws_BLD + inputs["ws_offset"]
        return ws_BLD

    def finish(self, job: GenerateJob, picture: Picture) -> EncodedPicture:
        """One picture as the job wants it."""
        recipe = recipe_of(job, self._name_of(job.model))
        return stamped(resized(picture, job.size), job.format, recipe, self._stamp)

    def rehearse(self) -> None:
        """Mark and encode a grey picture in every format, for nobody."""
        grey = np.full([REHEARSED_SIDE, REHEARSED_SIDE, 3], 128, np.uint8)
        for each in PictureFormat:
            stamped(grey, each, Recipe(GenerateJob.kind, "", "", 0, {}), self._stamp)

    def _move(self, inputs: dict[str, Array], jobs: Sequence[GenerateJob], manifest: GeneratorManifest) -> None:
        """Add what the edits in z amount to, and keep for `run` what those in w do."""
        ws_BLD = np.zeros([len(jobs), manifest.num_ws, manifest.w_dim], np.float32)
        for place, job in enumerate(jobs):
            offset = offset_of(job, self._directions_of(job.model), manifest)
            if offset.z is not None:
                inputs["z"][place] += offset.z[0]
                if job.mix:
                    # All that is drawn smiles, or the layers would disagree.
                    inputs["mix_z"][inputs["mix_at"][:, 0] == place] += offset.z[0]
            if offset.ws is not None:
                ws_BLD[place] = offset.ws
        inputs["ws_offset"] = ws_BLD


def pictures_of(ws_BLD: Array, model: LoadedGenerator, of_synthesis: Mapping[str, Array]) -> Array:
    """[B, L, D] -> pictures [B, R, R, 3] uint8. of_synthesis: `transform` for a graph that takes one."""
    as_trained_B = np.ones(len(ws_BLD), np.float32)
    return model.synthesis.run({"ws": ws_BLD, "noise_strength": as_trained_B, **of_synthesis})["picture"]


def recipe_of(job: GenerateJob, name: str) -> Recipe:
    """What a face was made of, in the words of its permanent address."""
    return Recipe(job.kind, name, job.model, job.seed, look_parameters(job))


def look_parameters(job: GenerateJob | MorphJob | GridJob) -> dict[str, Plain]:
    """All that makes the pixels but the seed, in the words of a permanent address."""
    moved = {"rotate": job.rotate, "translate_x": job.translate_x, "translate_y": job.translate_y}
    return {
        "truncation_psi": job.truncation_psi,
        "size": job.size,
        **({} if job.label is None else {"class": job.label}),
        **{name: value for name, value in moved.items() if value},
        **({"mix": mix_text(job.mix)} if job.mix else {}),
        **edit_parameters(job),
    }


def mapping_inputs(jobs: Sequence[GenerateJob], manifest: GeneratorManifest) -> dict[str, Array]:
    """What the mapping graph takes: z [B, Z], psi [B, L] and, of a model with labels, c [B, Y]."""
    inputs: dict[str, Array] = {
        "z": np.concatenate([seed_to_z(job.seed, manifest.z_dim) for job in jobs]),
        "psi": np.array([[job.truncation_psi] * manifest.num_ws for job in jobs], np.float32),
    }
    return {**inputs, "c": _labels(jobs, manifest.c_dim)} if manifest.c_dim else inputs


def mixed(ws_BLD: Array, others_MLD: Array, at_M3: Array, share_M: Float32) -> Array:
    """ws with the layers of others in their places, or on their way there."""
    ws_BLD = ws_BLD.copy()
    for other_LD, (place, first, last), share in zip(others_MLD, at_M3, share_M, strict=True):
        layers = slice(first, last + 1)
        # So that all the way is exactly the other.
        ws_BLD[place, layers] = share * other_LD[layers] + (1 - share) * ws_BLD[place, layers]
    return ws_BLD


def _mixes(jobs: Sequence[GenerateJob], manifest: GeneratorManifest) -> dict[str, Array]:
    mixes = [(place, job, mix) for place, job in enumerate(jobs) for mix in job.mix]
    others = mapping_inputs([replace(job, seed=seed) for _, job, (seed, *_) in mixes], manifest)
    at_M3 = np.array([(place, first, last) for place, _, (_, first, last, _) in mixes])
    share_M = np.array([mix[3] for _, _, mix in mixes], np.float32)
    return {"mix_at": at_M3, "mix_share": share_M, **{f"mix_{name}": array for name, array in others.items()}}


def _labels(jobs: Sequence[GenerateJob], c_dim: int) -> Float32:
    """One-hot [B, Y]. Where a job names no class its seed draws one, and the same seed always the same."""
    labels_BY = np.zeros([len(jobs), c_dim], np.float32)
    labels_BY[np.arange(len(jobs)), [class_of(job, c_dim) for job in jobs]] = 1
    return labels_BY


def class_of(job: GenerateJob, c_dim: int) -> int:
    """The class that a job names, or that its seed draws."""
    return job.seed % c_dim if job.label is None else job.label
