"""Who is let in, and how much of it: what the web needs to know of keys, limits, names and shared addresses."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Without anything: everybody may do everything, as on a machine of one's own.

    keys: file of the keys that are asked for; None: none are. share_secrets: sign shared addresses, the first of them;
    all are accepted. hosts: names that the service goes by; none: any. units_per_minute: most units of work of one
    visitor; 0: no limit. limits_redis: where all webs count together; None: each counts alone.
    """

    keys: Path | None = None
    share_secrets: tuple[str, ...] = field(default=(), repr=False)
    hosts: tuple[str, ...] = ()
    units_per_minute: int = 0
    limits_redis: str | None = field(default=None, repr=False)
