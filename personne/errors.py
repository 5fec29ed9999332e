"""What the person at the front door can get wrong, each with a sentence that says what to do.

FrontDoorError
├── SettingRefused     an option or PERSONNE_ variable outside its bounds
├── PortBusy           somebody listens there already
├── KeysNeeded         other machines would reach a service that has no keys
├── KeyNotFound        `personne keys revoke` of a key that is none
├── ExtraMissing       a floor that is not installed here
├── BadSeeds           a list of seeds that is none
├── BadEdits           no attribute with its strength
├── BadMovement        a turn or a shift beyond its bounds
├── NothingToTranslate files and folders without a photo
├── AlreadyThere       a file that a command would replace
├── NoMaskTaken        a mask for a style that fills nothing
├── WouldOverwrite     what is made of a photo would take the place of one
├── PhotosRefused      some photos could not be read
├── PhotosNotInverted  no latent was found for some photos
├── NoFacesAligned     `personne dataset align` found no face that it could take
├── BadLandmarks       --landmarks that are no ten numbers
├── LicenceNotAccepted a download whose licence nobody has accepted yet
├── CertificatesThere  `personne certs init` where there are some already
├── ModelOff           `personne verify-model` found a graph that does not agree
├── Unsound            `personne doctor` found something wrong
└── Unhealthy          `personne health` found nobody well
"""

from pathlib import Path

from jobs.errors import JobsError
from marks.errors import MarksError
from models.errors import ModelsError
from training.errors import TrainingError
from worker.errors import WorkerError


class FrontDoorError(Exception):
    """Something that whoever typed the command can put right."""

    exit_status = 2


class SettingRefused(FrontDoorError):
    """An option or PERSONNE_ variable is outside its bounds."""


class PortBusy(FrontDoorError):
    """Somebody listens on that port already."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"Cannot listen on {host} port {port}: {reason}. Choose another with --port, or stop what holds it."
        )


class KeysNeeded(FrontDoorError):
    """Other machines would reach a service without keys."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"A service at {host} asks for keys, and there are none: make one with `personne keys new NAME`, or let "
            "everybody in with --open."
        )


class KeyNotFound(FrontDoorError):
    """There is no such key."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"No key's id, or several, begin with {key_id!r}; `personne keys list` shows them.")


def install(*extras: str) -> str:
    """How somebody gets them. Not by name from an index: personne is on none."""
    if {"training", "export"} & set(extras):
        return "`make training` in a clone of personne makes an environment that has it"
    return f"in a clone of personne, pip install -e '.[{','.join(extras)}]'"


class ExtraMissing(FrontDoorError):
    """This floor is not installed here."""

    def __init__(self, missing: str, extra: str) -> None:
        super().__init__(f"This needs {missing}, which is not installed here: {install(extra)}.")


class Unhealthy(FrontDoorError):
    """Nobody well was found."""

    exit_status = 1


class Unsound(FrontDoorError):
    """Something is wrong here."""

    exit_status = 1

    def __init__(self, wrong: int) -> None:
        super().__init__(
            f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong; the lines above say how to mend it."
        )


class ModelOff(FrontDoorError):
    """A model's graphs do not compute what its network does."""

    exit_status = 1

    def __init__(self, name: str, disagreements: list[str]) -> None:
        super().__init__(f"{name} is off: {'; '.join(disagreements)}. Export or import it again.")


class CertificatesThere(FrontDoorError):
    """There are certificates already."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There are certificates in {folder} already. --force replaces them; this service will no longer call the "
            "pictures its own that were signed with them."
        )


class BadSeeds(FrontDoorError):
    """This is no list of seeds."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no list of seeds: write 0-63 or 1,5,9-12, with seeds from 0 to 2**64 - 1, a million at most."
        )


class BadEdits(FrontDoorError):
    """This is no attribute with its strength."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no edit: write --set smile=1.5, once for each attribute.")


class BadMorph(FrontDoorError):
    """This is no morph that can be made."""

    def __init__(self, why: str) -> None:
        super().__init__(f"This cannot be made: {why}.")


class NothingToTranslate(FrontDoorError):
    """There is no photo in these folders."""

    def __init__(self, sources: list[str]) -> None:
        super().__init__(f"There is no photo (.jpg, .jpeg, .png, .webp) in {', '.join(sources)}.")


class NoMaskTaken(FrontDoorError):
    """A mask was given, and the style takes none."""

    def __init__(self, style: str) -> None:
        super().__init__(f"The style {style} changes all of a photo and takes no mask; leave --mask out.")


class WouldOverwrite(FrontDoorError):
    """What is made of a photo would take the place of a photo, or of what is made of another."""

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"Nothing was written: {what}; {way_out}.")


class AlreadyThere(FrontDoorError):
    """A file is there already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already; --force replaces it.")


class PhotosRefused(FrontDoorError):
    """Some photos could not be read; the others are translated."""

    exit_status = 1

    def __init__(self, refused: int, of: int) -> None:
        super().__init__(f"{refused} of {of} photos could not be translated; the lines above say why.")


class PhotosNotInverted(FrontDoorError):
    """For some photos no latent was found; the others are there."""

    exit_status = 1

    def __init__(self, refused: int, of: int) -> None:
        super().__init__(f"{refused} of {of} photos gave no latent; the lines above say why.")


class NoFacesAligned(FrontDoorError):
    """No photo gave a face."""

    exit_status = 1

    def __init__(self, photos: int) -> None:
        super().__init__(f"None of {photos} photos gave a face that could be taken, so there is no zip.")


class BadLandmarks(FrontDoorError):
    """--landmarks takes ten numbers with commas between: x and y of the eye on the left, the eye on the right, the
    nose, the mouth corners on the left and right, in pixels of the upright photo."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


class LicenceNotAccepted(FrontDoorError):
    """A download whose licence nobody has accepted yet."""

    def __init__(self, title: str, licence: str, licence_url: str) -> None:
        super().__init__(f"{title} comes under: {licence} ({licence_url}). If you accept it, add --accept-licence.")


class BadMovement(FrontDoorError):
    """--rotate takes degrees from -180 to 180, --translate two shares from -1 to 1 with a comma between: 0.1,-0.2."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


OURS = (FrontDoorError, JobsError, MarksError, ModelsError, TrainingError, WorkerError)
USER_ERRORS = (*OURS, ValueError, OSError)
"""What ends a command in one sentence instead of a traceback."""


def sentence(error: Exception) -> str:
    """What the command says before it ends. Where the error is not one of ours, with the way to see more."""
    if isinstance(error, OURS):
        return str(error)
    return f"{error} (PERSONNE_LOG_LEVEL=debug shows where this comes from.)"
