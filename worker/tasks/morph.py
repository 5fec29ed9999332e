"""A face that turns into another: frames between latents, as one moving picture.

Where there is a mapping network, between the faces' ws, in a straight line: w is where equal steps change a face most
evenly (Karras et al. 2019, section 4.1: the path length in w is shorter than in z), every key frame is the very face
of its seed, and what an edit adds is the same all the way. Without one, between the faces' z, along the sphere (White
2016, "Sampling Generative Networks"): a straight line would cut through its middle, where no latent ever lies.
"""
# K key faces, F frames, B batch, L style layer, D latent width, Z latent, R side of the picture

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import numpy as np

from jobs.contract import GenerateJob, MorphJob, PictureFormat
from marks.recipe import Plain, Recipe
from marks.stamp import UNMARKED, Stamp
from models.abilities import takes_truncation
from models.engines.engine import Array, Float32
from models.manifest import GeneratorManifest
from worker.animations import animation, check_writable
from worker.loaded_model import LoadedGenerator, largest_batch
from worker.pictures import EncodedPicture, Picture, resized
from worker.tasks.generate import GenerateTask, look_parameters, pictures_of
from worker.tasks.solo import SoloTask, Step

PARALLEL = 1e-4
"""Angles under this, in radians: two latents point the same way, and a straight line is as good as an arc."""


class MorphTask(SoloTask[MorphJob, dict[str, Array], LoadedGenerator]):
    """Key faces -> ws (or z) between them -> synthesis, batch by batch -> frames resized, marked and encoded.

    faces: the very task that draws single faces. stamp: the marks that pictures leave with. name_of: a model's name,
    by its digest.
    """

    works_with = GeneratorManifest

    def __init__(self, faces: GenerateTask, stamp: Stamp = UNMARKED, name_of: Callable[[str], str] = str) -> None:
        self._faces = faces
        self._stamp = stamp
        self._name_of = name_of

    def prepare(self, job: MorphJob, inputs: Mapping[str, bytes], model: LoadedGenerator) -> dict[str, Array]:  # noqa: ARG002
        """What GenerateTask prepares of the key faces. Raises VideoMissing, DirectionsGone,
        NoSuchAttribute."""
        check_writable(job.format)
        return self._faces.prepare(key_faces(job), model)

    def run(self, job: MorphJob, prepared: dict[str, Array], model: LoadedGenerator, step: Step) -> list[Picture]:
        """Frames [size, size, 3] uint8, in their order."""
        at_F = positions(len(job.seeds), job.frames, loop=job.loop)
        keys_KLD = self._faces.ws(prepared, model) if takes_truncation(model.manifest) else None
        batch = largest_batch(model.manifest, model.device)
        frames: list[Picture] = []
        for start in range(0, job.frames, batch):
            step(start / job.frames)
            at_B = at_F[start : start + batch]
            ws_BLD = self._ws_by_z(prepared, at_B, model) if keys_KLD is None else between(keys_KLD, at_B)
            # Of all key faces the same.
            moved = {name: prepared[name][:1].repeat(len(at_B), 0) for name in ("transform",) if name in prepared}
            frames += [resized(picture, job.size) for picture in pictures_of(ws_BLD, model, moved)]
        return frames

    def finish(self, job: MorphJob, picture: Sequence[Picture], inputs: Mapping[str, bytes]) -> EncodedPicture:  # noqa: ARG002
        """The frames as one file. Raises VideoMissing."""
        frames = [self._stamp.in_pixels(frame) for frame in picture]
        recipe = recipe_of(job, self._name_of(job.model))
        plain = animation(frames, job.format, job.fps, loop=job.loop, xmp=self._stamp.metadata(recipe))
        return EncodedPicture(self._stamp.over(plain, job.format.media_type, recipe), job.format.media_type)

    def _ws_by_z(self, prepared: Mapping[str, Array], at_B: Float32, model: LoadedGenerator) -> Array:
        """The class of a frame, where there are classes, is that of the key face that it is nearest to."""
        nearest_B = np.rint(at_B).astype(int) % len(prepared["z"])
        inputs = {name: prepared[name][nearest_B] for name in ("psi", "c", "ws_offset") if name in prepared}
        return self._faces.ws({**inputs, "z": around(prepared["z"], at_B)}, model)


def key_faces(job: MorphJob) -> list[GenerateJob]:
    """The faces that the morph passes through."""
    shared = {field.name for field in fields(GenerateJob)} & {field.name for field in fields(MorphJob)} - {"format"}
    look = {name: getattr(job, name) for name in shared}
    return [GenerateJob(seed=seed, format=PictureFormat.PNG, **look) for seed in job.seeds]


def positions(keys: int, frames: int, *, loop: bool) -> Float32:
    """Where on the path each frame [F] lies: 0 is the first key face, 1 the second, 1.5 between the second and third.

    Every key face is a frame, the one that is nearest to its turn: the others share what lies between. A loop ends one
    frame before it is at the first face again; else the last frame is the last face.
    """
    ways, last = (keys, frames) if loop else (keys - 1, frames - 1)
    turns = np.floor(np.arange(ways + 1) * last / ways + 0.5)
    return np.interp(np.arange(frames), turns, np.arange(ways + 1)).astype(np.float32)


def between(keys_KLD: Array, at_B: Float32) -> Array:
    """The points [B, L, D] of the straight path, which is closed: after the last comes the first."""
    first_B, share_B = _steps(at_B)
    here, there = keys_KLD[first_B % len(keys_KLD)], keys_KLD[(first_B + 1) % len(keys_KLD)]
    path_BLD: Array = here + share_B[:, None, None] * (there - here)
    return path_BLD


def around(keys_KZ: Array, at_B: Float32) -> Array:
    """The points [B, Z] of the path along great circles, closed as well (Shoemake 1985)."""
    first_B, share_B = _steps(at_B)
    here, there = keys_KZ[first_B % len(keys_KZ)], keys_KZ[(first_B + 1) % len(keys_KZ)]
    cosine = (here * there).sum(1) / np.linalg.norm(here, axis=1) / np.linalg.norm(there, axis=1)
    angle_B1 = np.arccos(np.clip(cosine, -1, 1))[:, None].astype(np.float64)
    share_B1 = share_B[:, None].astype(np.float64)
    sine_B1 = np.where(angle_B1 < PARALLEL, 1, np.sin(angle_B1))
    arc = (np.sin((1 - share_B1) * angle_B1) * here + np.sin(share_B1 * angle_B1) * there) / sine_B1
    points: Array = np.where(angle_B1 < PARALLEL, here + share_B1 * (there - here), arc).astype(np.float32)
    return points


def recipe_of(job: MorphJob, name: str) -> Recipe:
    """What a morph was made of, in the words of its permanent address."""
    seeds = ",".join(map(str, job.seeds))
    path: dict[str, Plain] = {"seeds": seeds, "frames": job.frames, "fps": job.fps, "loop": job.loop}
    return Recipe(job.kind, name, job.model, parameters={**path, **look_parameters(job)})


def _steps(at_B: Float32) -> tuple[Array, Float32]:
    first_B = np.floor(at_B)
    return first_B.astype(int), (at_B - first_B).astype(np.float32)
