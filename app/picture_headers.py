"""What is said of a picture beside its bytes, and for how long it may be kept."""

from dataclasses import dataclass

from app.access.visitor import VISITOR
from app.ordering import validator
from app.replies import FOR_EVER, NEVER
from jobs.contract import GenerateJob, GridJob, MorphJob

FOR_EVER_TO_ONE = "private, max-age=31536000, immutable"
WHILE_IT_OPENS = "private, no-cache"
"""It may be kept, and must be asked for again each time: a shared address ends."""
WHILE_IT_MEANS_THAT = "public, no-cache"
"""The same, for whoever keeps it: an edit that names no directions means those of the moment, which change."""


@dataclass(frozen=True, slots=True)
class PictureHeaders:
    """What is said of a picture beside its bytes. address: its permanent one. negotiated: whether Accept had a say.
    directions: those that were asked for."""

    job: GenerateJob
    address: str
    negotiated: bool
    directions: str | None = None

    def drawn(self) -> dict[str, str]:
        """For a face that the next request will not get again."""
        return {**self._common(), "Cache-Control": NEVER}

    def permanent(self) -> dict[str, str]:
        """For a face at an address of its own."""
        return {**self._common(), "Cache-Control": kept(self.job, self.directions), "ETag": validator(self.job)}

    def _common(self) -> dict[str, str]:
        headers = {
            "Content-Location": self.address,
            "Personne-Seed": str(self.job.seed),
            "Personne-Model": self.job.model,
            # Anybody's page may show the picture; everything else here stays same-origin.
            "Cross-Origin-Resource-Policy": "cross-origin",
            # And its script may read it: nothing here depends on who asks in that browser, and no cookie is ever sent.
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Content-Location, Personne-Seed, Personne-Model",
        }
        return {**headers, "Vary": "Accept"} if self.negotiated else headers


def kept(job: GenerateJob | GridJob | MorphJob, directions: str | None) -> str:
    """For how long, and where, the picture may be kept by whoever asks now. directions: those that were asked for."""
    visitor = VISITOR.get()
    if visitor is not None and visitor.by_link:
        return WHILE_IT_OPENS
    # Where keys are asked for, a cache between us and everybody would need none.
    of_all = visitor is None or visitor.scopes is None
    if job.directions and directions is None:
        return WHILE_IT_MEANS_THAT if of_all else WHILE_IT_OPENS
    return FOR_EVER if of_all else FOR_EVER_TO_ONE
