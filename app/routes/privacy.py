"""GET /privacy: what is kept of whoever uses this service; the numbers are the settings."""

from fastapi import APIRouter, Response

from app.config import AppConfig
from app.pages import Pages
from jobs.notices import KEPT_S
from jobs.queue import DEFAULT_POLICY

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def privacy_routes(pages: Pages, config: AppConfig) -> APIRouter:
    """GET /privacy."""
    router = APIRouter(include_in_schema=False)
    access = config.access
    by_day = access.keys is not None

    @router.get("/privacy")
    async def privacy() -> Response:
        """In words, for people."""
        context = {
            "upload": f"{config.max_upload_bytes / 2**20:g} MiB",
            "inputs": duration(config.input_ttl_s),
            "results": duration(config.result_ttl_s),
            "limited": bool(access.units_per_minute) or by_day,
            # A window, and the one after it.
            "counted": "2 days" if by_day else "2 minutes",
            "redis": config.on_redis,
            "repeats": duration(DEFAULT_POLICY.once_ttl_s),
            "failures": duration(config.dead_ttl_s),
            "webhooks": config.webhooks,
            "notices": duration(KEPT_S),
            "traces": config.traces,
        }
        return pages.reply("privacy.html", context)

    return router


def duration(seconds: float) -> str:
    """`5400` => `1 hour 30 minutes`."""
    left, parts = seconds, []
    for name, length in _UNITS:
        count = left // length if length > 1 else round(left, 3)
        if count:
            parts.append(f"{count:g} {name}{'' if count == 1 else 's'}")
            left -= count * length
    return " ".join(parts)
