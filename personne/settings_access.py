"""Settings of who is let in: a part of Settings, in a file of its own."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import NoDecode

from app.config import AccessConfig

DEFAULT_UNITS = 600
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
KEYS_FILE = Path(".keys") / "keys.json"
Words = Annotated[tuple[str, ...], NoDecode]


class AccessSettings(BaseModel):
    """Who is let in, by which name, and how much of it."""

    open: bool | None = Field(
        None,
        description="`true`: everybody is let in; `false`: only with a key. Unset: everybody on loopback, and "
        "elsewhere only with a key.",
    )
    hosts: Words = Field(
        (),
        description="Names that requests may call this service by (`Host`), with commas between; unset: on loopback "
        "its own, elsewhere any.",
    )
    trusted_proxies: Words = Field(
        (), description="Addresses or networks of proxies whose `X-Forwarded-For` is believed, with commas between."
    )
    units_per_minute: int | None = Field(
        None,
        ge=0,
        le=1_000_000_000,
        description="Most units of work of one key or address in a minute; 0: no limit. Unset: none on loopback, 600 "
        "elsewhere.",
    )
    share_key: Annotated[tuple[Annotated[SecretStr, Field(min_length=32)], ...], NoDecode] = Field(
        (),
        description="Secrets of 32 characters or more that sign shared addresses, with commas between: the first "
        "signs, all are accepted. Unset: nothing can be shared.",
    )

    def access_of(self, host: str, store: Path, redis: str | None) -> AccessConfig:
        """What the web is to know. redis: where several webs count together."""
        keyed = self.asks_for_keys(host)
        units = self.units_per_minute
        return AccessConfig(
            keys=keys_file(store) if keyed else None,
            share_secrets=tuple(secret.get_secret_value() for secret in self.share_key),
            hosts=self.hosts or (LOOPBACK_HOSTS if is_loopback(host) and not keyed else ()),
            units_per_minute=(0 if is_loopback(host) else DEFAULT_UNITS) if units is None else units,
            limits_redis=redis,
        )

    def asks_for_keys(self, host: str) -> bool:
        """Whether a service that listens there asks for keys."""
        return not is_loopback(host) if self.open is None else not self.open


def keys_file(store: Path) -> Path:
    """Where `personne keys` keeps them."""
    return store / KEYS_FILE


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
