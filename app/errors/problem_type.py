"""One kind of problem, as replies, descriptions and pages tell of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem: its name in the `type` URI, its HTTP status, its title, and when to come back.

    meaning: for /problems/{slug}: what happened and what to do. retry_after_s: None where waiting is no help.
    """

    slug: str
    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None

    @property
    def uri(self) -> str:
        return f"/problems/{self.slug}"
