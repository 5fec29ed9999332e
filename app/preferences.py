"""The Prefer header (RFC 7240): answer at once and do it later, or wait so many seconds at most."""

from dataclasses import dataclass, replace

RESPOND_ASYNC, WAIT = "respond-async", "wait"


@dataclass(frozen=True, slots=True)
class Preferences:
    """respond_async: whoever asks will come back for the result. wait_s: None where nothing was said."""

    respond_async: bool = False
    wait_s: float | None = None

    @property
    def said(self) -> bool:
        return self.respond_async or self.wait_s is not None

    def bounded(self, limit_s: float) -> "Preferences":
        """Waiting no longer than that: what is told to be applied is what was done."""
        return self if self.wait_s is None else replace(self, wait_s=min(self.wait_s, limit_s))

    def within(self, limit_s: float) -> float:
        """How long to wait before the answer is the job's address."""
        if self.wait_s is not None:
            return min(self.wait_s, limit_s)
        return 0.0 if self.respond_async else limit_s

    @property
    def applied(self) -> dict[str, str]:
        """The header that says which of them were heeded."""
        said = [RESPOND_ASYNC] if self.respond_async else []
        said += [] if self.wait_s is None else [f"{WAIT}={self.wait_s:g}"]
        return {"Preference-Applied": ", ".join(said)} if said else {}


def read_preferences(header: str | None) -> Preferences:
    """What is none of ours, or cannot be read, is ignored: a preference is no demand. Of two the first counts."""
    respond_async, wait_s = False, None
    for preference in (header or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        value = value.strip().strip('"')
        if name.strip().lower() == RESPOND_ASYNC:
            respond_async = True
        elif wait_s is None and name.strip().lower() == WAIT and value.isascii() and value.isdigit() and len(value) < 6:
            wait_s = float(value)
    return Preferences(respond_async, wait_s)
