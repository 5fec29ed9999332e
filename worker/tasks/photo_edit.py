"""A face in a photo -> located -> its latent -> moved by attributes -> drawn, on request put back into the photo."""
# H W photo, R side of the generator's picture

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jobs.contract import LATENT, PHOTO, PhotoEditJob, PictureFormat
from marks.recipe import Recipe
from marks.stamp import UNMARKED, Stamp
from models.abilities import Method, Space
from models.alignment import Picture, paste_change
from models.manifest import GeneratorManifest
from models.mixing import mix_text
from worker.errors import PhotoRefused
from worker.inverters import Inverters
from worker.loaded_model import LoadedGenerator
from worker.photos import Photo, decoded
from worker.pictures import EncodedPicture, check_length, resized, stamped
from worker.tasks.edit import EditTask
from worker.tasks.invert import invert, locate
from worker.tasks.offsets import edit_parameters
from worker.tasks.solo import SoloTask, Step
from worker.tasks.translate import history_of


@dataclass(frozen=True)
class Edited:
    """picture: the face [R, R, 3], or the photo [H, W, 3] (with its opacity, [H, W, 4], where the format has any).
    error: of the latent that was found."""

    picture: Picture
    error: float


class PhotoEditTask(SoloTask[PhotoEditJob, Photo, LoadedGenerator]):
    """most_pixels: larger photos are refused. inverters: the locator, and each generator's ways back. edit: moves and
    draws latents. stamp: the marks that pictures leave with. name_of: a model's name, by its digest."""

    works_with = GeneratorManifest

    def __init__(
        self,
        most_pixels: int,
        inverters: Inverters,
        edit: EditTask,
        stamp: Stamp = UNMARKED,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self._most_pixels = most_pixels
        self._inverters = inverters
        self._edit = edit
        self._stamp = stamp
        self._name_of = name_of

    def prepare(self, job: PhotoEditJob, inputs: Mapping[str, bytes], model: LoadedGenerator) -> Photo:  # noqa: ARG002
        """Raises PhotoRefused."""
        if PHOTO not in inputs:
            raise PhotoRefused("The photo's time to live passed before its turn came; send it again.")
        photo = decoded(inputs[PHOTO], self._most_pixels)
        if job.paste:
            check_length(max(photo.size), job.format)
        return photo

    def run(self, job: PhotoEditJob, prepared: Photo, model: LoadedGenerator, step: Step) -> Edited:
        """Raises NoFace, SeveralFaces, FaceTooSmall, and JobRefused for edits that move z."""
        inverter = self._inverters.inverter(model)
        step(0.0)
        side, locator = model.manifest.resolution, self._inverters.locator
        located = locate(prepared, side, locator, face=job.face, landmarks=job.landmarks)
        found = invert(located.crop, inverter, step, Method(job.method), Space(job.space))
        latent = {LATENT: found.ws.astype("<f4").tobytes()}
        moved = self._edit.run(job.edit, self._edit.prepare(job.edit, latent, model), model, step)
        if job.paste:
            # What the latent does not know of the face is in both pictures alike, and so changes nothing.
            whole = paste_change(prepared.pixels, located.face.square, found.picture, moved)
            if prepared.opacity is not None and job.format is not PictureFormat.JPEG:
                whole = np.dstack([whole, prepared.opacity])
            return Edited(whole, found.error)
        return Edited(moved, found.error)

    def finish(self, job: PhotoEditJob, picture: Edited, inputs: Mapping[str, bytes]) -> EncodedPicture:
        """As the job wants it. The marks that the photo came with go on as the history of the result."""
        parameters: dict[str, str | int | float | None] = {"method": job.method, "space": job.space}
        parameters |= {"truncation_psi": job.truncation_psi}
        parameters |= {"paste": True} if job.paste else {"size": job.size}
        parameters |= {"mix": mix_text(job.mix)} if job.mix else {}
        photo = inputs[PHOTO]
        recipe = Recipe(
            job.kind,
            self._name_of(job.model),
            job.model,
            parameters={**parameters, **edit_parameters(job.edit)},
            ingredient=history_of(photo),
        )
        shown = picture.picture if job.paste else resized(picture.picture, job.size)
        return stamped(shown, job.format, recipe, self._stamp, photo)
