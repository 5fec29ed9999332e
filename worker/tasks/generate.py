"""A face from a seed."""
# B batch, L style layer, Z latent, Y label, R side of the picture

from collections.abc import Mapping, Sequence

import numpy as np

from jobs.contract import GenerateJob
from models.engines.engine import Array, Float32
from models.latents import seed_to_z
from models.manifest import GeneratorManifest
from models.transforms import make_transform
from worker.loaded_model import LoadedGenerator
from worker.pictures import EncodedPicture, Picture, encoded, resized


class GenerateTask:
    """Seeds -> z -> mapping, truncated per job -> synthesis -> each picture resized and encoded."""

    works_with = GeneratorManifest

    def prepare(self, jobs: Sequence[GenerateJob], model: LoadedGenerator) -> dict[str, Array]:
        """The inputs of the mapping graph, and `transform` for a synthesis graph that takes one."""
        manifest = model.manifest
        inputs: dict[str, Array] = {
            "z": np.concatenate([seed_to_z(job.seed, manifest.z_dim) for job in jobs]),
            "psi": np.array([[job.truncation_psi] * manifest.num_ws for job in jobs], np.float32),
        }
        if manifest.c_dim:
            inputs["c"] = _labels(jobs, manifest.c_dim)
        if manifest.takes_transform:
            moves = [make_transform(job.translate_x, job.translate_y, job.rotate) for job in jobs]
            inputs["transform"] = np.stack(moves).astype(np.float32)
        return inputs

    def run(self, inputs: Mapping[str, Array], model: LoadedGenerator) -> Array:
        """Pictures [B, R, R, 3] uint8."""
        of_synthesis = {name: inputs[name] for name in ("transform",) if name in inputs}
        of_mapping = {name: array for name, array in inputs.items() if name not in of_synthesis}
        ws_BLD = model.mapping.run(of_mapping)["ws"]
        as_trained_B = np.ones(len(ws_BLD), np.float32)
        return model.synthesis.run({"ws": ws_BLD, "noise_strength": as_trained_B, **of_synthesis})["picture"]

    def finish(self, job: GenerateJob, picture: Picture) -> EncodedPicture:
        """One picture as the job wants it."""
        return encoded(resized(picture, job.size), job.format)


def _labels(jobs: Sequence[GenerateJob], c_dim: int) -> Float32:
    """One-hot [B, Y]. Where a job names no class its seed draws one, and the same seed always the same."""
    labels_BY = np.zeros([len(jobs), c_dim], np.float32)
    drawn = [job.seed % c_dim if job.label is None else job.label for job in jobs]
    labels_BY[np.arange(len(jobs)), drawn] = 1
    return labels_BY
