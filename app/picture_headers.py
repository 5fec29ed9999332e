"""What is said of a picture beside its bytes, and for how long it may be kept."""

from dataclasses import dataclass

from app.access.visitor import VISITOR
from app.ordering import validator
from app.replies import FOR_EVER, NEVER
from jobs.contract import GenerateJob

FOR_EVER_TO_ONE = "private, max-age=31536000, immutable"
WHILE_IT_OPENS = "private, no-cache"
"""It may be kept, and must be asked for again each time: a shared address ends."""


@dataclass(frozen=True, slots=True)
class PictureHeaders:
    """What is said of a picture beside its bytes. address: its permanent one. negotiated: whether Accept had a say."""

    job: GenerateJob
    address: str
    negotiated: bool

    def drawn(self) -> dict[str, str]:
        """For a face that the next request will not get again."""
        return {**self._common(), "Cache-Control": NEVER}

    def permanent(self) -> dict[str, str]:
        """For a face at an address of its own."""
        return {**self._common(), "Cache-Control": kept(), "ETag": validator(self.job)}

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


def kept() -> str:
    """For how long, and where, the picture of a permanent address may be kept by whoever asks now."""
    visitor = VISITOR.get()
    if visitor is not None and visitor.by_link:
        return WHILE_IT_OPENS
    # Where keys are asked for, a cache between us and everybody would need none.
    return FOR_EVER if visitor is None or visitor.scopes is None else FOR_EVER_TO_ONE
