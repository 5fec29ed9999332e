"""Refusals that depend on who asks and how: keys, scopes, limits, hosts, shared addresses."""

from collections.abc import Mapping, Sequence

from app.errors.kinds import AppError
from app.errors.problem_type import ProblemType


class KeyMissing(AppError):
    """This service asks for a key: send it as `Authorization: Bearer psn_...`, or as `X-API-Key`."""


class KeyRefused(AppError):
    """This key opens nothing here: it is misspelt, was revoked, or has expired."""


class KeysUnreadable(AppError):
    """The file of the keys cannot be read, so that nobody is let in; the service's log says why."""


class KeyInAddress(AppError):
    """A key does not belong into an address, which logs and histories keep: send it as `Authorization: Bearer psn_...`,
    and revoke the one that was sent."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


class ScopeMissing(AppError):
    """The key may not do this."""

    def __init__(self, needed: str, scopes: Sequence[str]) -> None:
        super().__init__(f"This address needs the scope {needed!r}; the key has: {', '.join(scopes) or 'none'}.")
        self.needed = needed
        self.scopes = list(scopes)


class ScopeUndeclared(AppError):
    """No scope was declared for this address, so that no key opens it; that is a bug."""


class RateLimited(AppError):
    """The limit is used up for now."""

    def __init__(self, policy: str, limit: int, window_s: int, cost: int, retry_after_s: int) -> None:
        super().__init__(
            f"This costs {cost} units, and of {limit} units in {window_s} seconds too few are left; "
            f"try again in {retry_after_s} seconds."
        )
        self.policy = policy
        self.limit = limit
        self.window_s = window_s
        self.cost = cost
        self.retry_after_s = retry_after_s


class TooCostly(AppError):
    """The request costs more than the limit ever allows."""

    def __init__(self, limit: int, window_s: int, cost: int) -> None:
        super().__init__(
            f"This costs {cost} units, more than the {limit} that {window_s} seconds allow at all: ask for less."
        )
        self.limit = limit
        self.window_s = window_s
        self.cost = cost


class WrongHost(AppError):
    """The service does not go by the name in the Host header."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This service does not go by the name {host[:100]!r}; its operator can add it: PERSONNE_HOSTS."
        )


class CrossSite(AppError):
    """Another site's page sent this; only pages of this service may send anything but GET from a browser."""


class LinkRefused(AppError):
    """The shared address was changed, has expired, or was withdrawn with its maker's key; ask for a new one."""


class SharingOff(AppError):
    """Nothing can be shared here: the operator has set no PERSONNE_SHARE_KEY."""


class NotShareable(AppError):
    """Only the address of a face or of a job's result can be shared, as this service writes it, from / on."""


ACCESS_PROBLEMS: Mapping[type[Exception], ProblemType] = {
    KeyMissing: ProblemType(
        "key-missing",
        401,
        "Key missing",
        "The service asks for a key, in the header Authorization (Bearer) or X-API-Key; its operator makes one with "
        "`personne keys new`.",
    ),
    KeyRefused: ProblemType(
        "key-refused",
        401,
        "Key refused",
        "The key is misspelt, was revoked, or has expired. Ask the operator for another.",
    ),
    KeysUnreadable: ProblemType(
        "keys-unreadable",
        503,
        "Keys unreadable",
        "The service cannot read who may do what, and lets nobody in until it can. `personne doctor` says why.",
        30,
    ),
    KeyInAddress: ProblemType(
        "key-in-address",
        400,
        "Key in the address",
        "Addresses end in logs, histories and referrers, so keys are taken from headers only. Revoke one sent so.",
    ),
    ScopeMissing: ProblemType(
        "scope-missing",
        403,
        "Scope missing",
        "The key is good, but not for this: the member needed names the scope, scopes those that the key has.",
    ),
    ScopeUndeclared: ProblemType(
        "scope-undeclared",
        403,
        "Scope undeclared",
        "Where keys are asked for, an address without a declared scope is closed to all of them. Please report it.",
    ),
    RateLimited: ProblemType(
        "rate-limited",
        429,
        "Too much at once",
        "Work is counted in units of pixels and stages; the fields RateLimit and RateLimit-Policy tell what is left, "
        "Retry-After when there is enough again.",
    ),
    TooCostly: ProblemType(
        "too-costly",
        403,
        "Too costly",
        "One request costs more units than the whole limit has; the members cost and limit say how many.",
    ),
    WrongHost: ProblemType(
        "wrong-host",
        421,
        "Wrong host",
        "The Host header names a service that this is not. The check keeps other sites' pages from reading this one "
        "through a name that they point at it; PERSONNE_HOSTS lists the names that are right.",
    ),
    CrossSite: ProblemType(
        "cross-site",
        403,
        "From another site",
        "A browser said that another site's page sent this request. Pictures may be embedded anywhere; forms and "
        "scripts of other sites may not act here.",
    ),
    LinkRefused: ProblemType(
        "link-refused",
        403,
        "Shared address refused",
        "A shared address is signed and expires: it was changed, its time is over, or its maker's key was revoked.",
    ),
    SharingOff: ProblemType(
        "sharing-off", 403, "Sharing is off", "Without PERSONNE_SHARE_KEY there is nothing to sign addresses with."
    ),
    NotShareable: ProblemType(
        "not-shareable",
        422,
        "Not shareable",
        "Faces and results of jobs have addresses that can be shared; others do not.",
    ),
}
