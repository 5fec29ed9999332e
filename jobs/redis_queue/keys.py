"""What lies where in Redis, and the Lua scripts."""

from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobs.contract import JobId, Lane

GROUP = "workers"
PREFIX = "psn:"
UNAVAILABLE = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, OutOfMemoryError)
"""What says that Redis cannot do its work now, and may again later."""
_TELLING = frozenset(
    {"begin", "bury", "cancel", "erase", "finish", "put_back", "put_part", "renew", "report", "submit"}
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key that personne uses begins with `prefix`."""

    prefix: str = PREFIX

    def lane(self, lane: Lane) -> str:
        return f"{self.prefix}lane:{lane}"

    def dead(self, lane: Lane) -> str:
        return f"{self.prefix}dead:{lane}"

    def job(self, job_id: JobId) -> str:
        return f"{self.prefix}job:{job_id}"

    def result(self, job_id: JobId) -> str:
        return f"{self.prefix}result:{job_id}"

    def inputs(self, job_id: JobId) -> str:
        return f"{self.prefix}inputs:{job_id}"

    def events(self, job_id: JobId) -> str:
        return f"{self.prefix}events:{job_id}"

    def parts(self, job_id: JobId) -> str:
        return f"{self.prefix}parts:{job_id}"

    def notice(self, job_id: JobId) -> str:
        return f"{self.prefix}notice:{job_id}"

    @property
    def notices(self) -> str:
        return f"{self.prefix}notices"

    def once(self, key: str) -> str:
        return f"{self.prefix}once:{key}"

    def replies(self, submitter_id: str) -> str:
        return f"{self.prefix}replies:{submitter_id}"

    def beat(self, worker_id: str) -> str:
        return f"{self.prefix}beat:{worker_id}"

    @property
    def workers(self) -> str:
        return f"{self.prefix}workers"

    @property
    def totals(self) -> str:
        return f"{self.prefix}totals"


def script(name: str) -> str:
    """The Lua source of a script, with the functions that those share that change a job's fate."""
    folder = files("jobs") / "lua"
    source = (folder / f"{name}.lua").read_text(encoding="utf-8")
    return (folder / "conclude.lua").read_text(encoding="utf-8") + source if name in _TELLING else source


def in_ms(seconds: float) -> int:
    """As Redis wants times to live."""
    return int(seconds * 1000)


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
