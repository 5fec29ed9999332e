"""A face from a seed."""
# B batch, L style layer, Z latent, Y label, R side of the picture

from collections.abc import Mapping, Sequence

import numpy as np

from jobs.contract import GenerateJob
from models.engines.engine import Array, Float32
from models.latents import seed_to_z
from worker.loaded_models import LoadedModel
from worker.pictures import EncodedPicture, Picture, encoded, resized


class GenerateTask:
    """Seeds -> z -> mapping, truncated per job -> synthesis -> each picture resized and encoded."""

    def prepare(self, jobs: Sequence[GenerateJob], model: LoadedModel) -> dict[str, Array]:
        """The inputs of the mapping graph."""
        manifest = model.manifest
        inputs: dict[str, Array] = {
            "z": np.concatenate([seed_to_z(job.seed, manifest.z_dim) for job in jobs]),
            "psi": np.array([[job.truncation_psi] * manifest.num_ws for job in jobs], np.float32),
        }
        if manifest.c_dim:
            inputs["c"] = _labels([job.seed for job in jobs], manifest.c_dim)
        return inputs

    def run(self, inputs: Mapping[str, Array], model: LoadedModel) -> Array:
        """Pictures [B, R, R, 3] uint8."""
        ws_BLD = model.mapping.run(inputs)["ws"]
        as_trained_B = np.ones(len(ws_BLD), np.float32)
        return model.synthesis.run({"ws": ws_BLD, "noise_strength": as_trained_B})["picture"]

    def finish(self, job: GenerateJob, picture: Picture) -> EncodedPicture:
        """One picture as the job wants it."""
        return encoded(resized(picture, job.size), job.format)


def _labels(seeds: Sequence[int], c_dim: int) -> Float32:
    """One-hot [B, Y]: a job names no class, so its seed draws one, and the same seed always the same."""
    labels_BY = np.zeros([len(seeds), c_dim], np.float32)
    labels_BY[np.arange(len(seeds)), [seed % c_dim for seed in seeds]] = 1
    return labels_BY
