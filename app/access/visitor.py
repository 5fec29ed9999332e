"""Who asks: known from the first middleware on, wherever the request goes."""

from contextvars import ContextVar
from dataclasses import dataclass, field

from app.access.keys import Key, Scope


@dataclass(frozen=True, slots=True)
class Standing:
    """What a visitor has left of one policy, in units, and in how many seconds all of it is free again."""

    policy: str
    limit: int
    window_s: int
    left: int
    reset_s: int


@dataclass(slots=True)
class Visitor:
    """One request's sender.

    name: under which units are counted: `key:ID` or `address:IP`. scopes: what the request may do; None: anything,
    since no keys are asked for. by_link: it came by a shared address. standings, needed and retry_after_s are noted on
    the way, for the reply's headers.
    """

    name: str
    key: Key | None = None
    scopes: tuple[Scope, ...] | None = ()
    by_link: bool = False
    standings: list[Standing] = field(default_factory=list)
    needed: Scope | None = None
    retry_after_s: int | None = None

    def may(self, scope: Scope) -> bool:
        return self.scopes is None or scope in self.scopes


VISITOR: ContextVar[Visitor | None] = ContextVar("visitor", default=None)
"""None: nobody asks, as when faces are made ahead."""
