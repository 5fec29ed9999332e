"""A long mixed run: does any process grow?

    python -m benchmarks.long_run [--faces 100000] [--slow 200] [--callers 8] [--looks 10] [--json FILE]

Real processes: redis-server, one `personne web`, one `personne worker`. Faces of mixed sizes, formats, truncation,
attributes, classes and mixed layers, as far as the model has them; evenly among them so many each of the slow kinds:
translations, edits of photos, inversions, morphs and data sets. Results expire after some seconds, so that Redis has a
level to return to. Memory is looked at whenever all has been answered and has expired: after a warm-up (three
twentieths of all, and 2,000 faces at least: thirty of each slow kind), then at every further tenth. Exits with 1 when a
process is larger by more than 1 % at the end than after the warm-up, or a request fails.
"""

import argparse
import asyncio
import io
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import redis
from PIL import Image

from benchmarks.stage import Stage, ended_by_sigterm

EXPIRE_S = 3.0
WARM_SHARE, WARM_FACES = 0.15, 2000
LOOKS = 10
MOST_GROWN = 0.01
NOISE_MB = 0.25
"""By so much the small ones, Redis above all, come and go from one look to the next."""
PHOTOS = 3
Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@dataclass
class Look:
    """One look at the memory of all, while nothing is in hand. redis_keys: what Redis still holds."""

    faces: int
    seconds: float
    resident_mb: dict[str, float]
    redis_used_mb: float
    redis_keys: int

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} {size:.1f} MB" for name, size in self.resident_mb.items())
        return (
            f"{self.faces} faces after {self.seconds:.0f} s: {sizes}; Redis uses {self.redis_used_mb:.2f} MB "
            f"for {self.redis_keys} keys"
        )


@dataclass
class Seen:
    """What came of it. answers: by kind and status."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    looks: list[Look] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        looks = [asdict(look) for look in self.looks]
        return {"answers": dict(self.answers), "failed": dict(self.failed), "looks": looks, "grown": self.grown}

    @property
    def grown(self) -> dict[str, float]:
        """By which share each process is larger at the end than after the warm-up."""
        first, last = self.looks[0], self.looks[-1]
        grown = {name: last.resident_mb[name] / size - 1 for name, size in first.resident_mb.items()}
        return grown | {"redis, used": last.redis_used_mb / first.redis_used_mb - 1}

    def too_large(self, most_grown: float = MOST_GROWN) -> list[str]:
        """What grew by more than that share."""
        first, last = self.looks[0], self.looks[-1]
        more_mb = {name: last.resident_mb[name] - size for name, size in first.resident_mb.items()}
        more_mb["redis, used"] = last.redis_used_mb - first.redis_used_mb
        return [name for name, share in self.grown.items() if share > most_grown and more_mb[name] > NOISE_MB]


class Mix:
    """What is asked. model: as /v1/models tells of it. attributes: with their ranges."""

    def __init__(self, model: dict[str, Any], attributes: list[dict[str, Any]], photos: list[bytes]) -> None:
        self._model = model
        self._attributes = attributes
        self._photos = photos
        self._draw = random.Random(0)
        self._turns = Counter[str]()

    def face(self) -> Send:
        """Of other parameters each time."""
        draw, model = self._draw, self._model
        side = model["resolution"]
        can, query = model["can"], dict[str, Any]()
        if can["truncation"]:
            query["truncation_psi"] = round(draw.random(), 3)
        if draw.random() < 0.5:
            query["size"] = draw.randint(min(16, side), side)
        if draw.random() < 0.3 and self._attributes:
            chosen = draw.choice(self._attributes)
            query[chosen["name"]] = round(draw.uniform(chosen["minimum"], chosen["maximum"]), 2)
        if draw.random() < 0.1:
            query["mix"] = f"{draw.randrange(2**32)}:0-1"
        if can["labels"]:
            query["class"] = draw.randrange(can["labels"]["count"])
        if can["transform"] and draw.random() < 0.3:
            query["rotate"] = round(draw.uniform(-45, 45), 1)
        address = f"/v1/faces/{draw.randrange(2**32)}.{draw.choice(('jpg', 'png', 'webp'))}?{urlencode(query)}"
        return lambda client: client.get(address)

    def slow(self, kind: str) -> Send:
        """One job of a slow kind."""
        draw, photo, seed = self._draw, self._draw.choice(self._photos), self._draw.randrange(2**32)
        # In turn, not by chance: the warm-up is to have seen whatever opens a graph or a shape of its own.
        turn = self._turns[kind]
        self._turns[kind] += 1
        typed = {"Content-Type": "image/jpeg"}
        match kind:
            case "translation":
                query = {"style": "monet", "size": (96, 128, 192)[turn % 3]}
                return lambda client: client.post("/v1/translations", params=query, content=photo, headers=typed)
            case "inversion":
                method = {"method": ("encoder", "hybrid")[turn % 2]}
                return lambda client: client.post("/v1/inversions", params=method, content=photo, headers=typed)
            case "photo edit":
                chosen = draw.choice(self._attributes)
                moved = {chosen["name"]: round(draw.uniform(chosen["minimum"], chosen["maximum"]), 2)}
                form = {"edit": (None, json.dumps({"attributes": moved, "paste": True, "method": "encoder"}))}
                files = {"photo": ("photo.jpg", photo, "image/jpeg"), **form}
                return lambda client: client.post("/v1/edits", files=files)
            case "morph":
                ends = {"from": seed, "to": draw.randrange(2**32), "frames": (4, 8)[turn % 2]}
                return lambda client: client.get("/v1/morphs", params=ends)
        wanted = {"count": (16, 8, 4)[turn % 3], "seed": seed}
        return lambda client: client.post("/v1/datasets", json=wanted, headers={"Prefer": "wait=60"})


SLOW_KINDS = ("translation", "photo edit", "inversion", "morph", "data set")


def shuffled(faces: int, slow: int) -> Iterator[str]:
    """So many of each kind, evenly among the faces."""
    jobs = [*SLOW_KINDS * slow]
    for number in range(faces):
        yield "face"
        while jobs and len(jobs) / (len(SLOW_KINDS) * slow) > 1 - (number + 1) / faces:
            yield jobs.pop()


class Run:
    """The run on a stage of its own."""

    def __init__(self, stage: Stage, callers: int, say: Callable[[str], None]) -> None:
        self._stage = stage
        self._callers = callers
        self._say = say
        self._began = time.monotonic()
        self.seen = Seen()

    async def all(self, faces: int, slow: int, looks: int) -> Seen:
        """Warm up, look, and go on with so many more looks."""
        async with httpx.AsyncClient(base_url=self._stage.address, timeout=120, trust_env=False) as client:
            mix = await self._mix(client)
            warm = min(max(round(faces * WARM_SHARE), WARM_FACES), faces // 2)
            warm_slow = max(round(slow * warm / faces), 1) if slow else 0
            await self._part(client, mix, warm, warm_slow)
            self._look(warm)
            done, done_slow = warm, warm_slow
            for number in range(1, looks + 1):
                target = warm + (faces - warm) * number // looks
                target_slow = warm_slow + (slow - warm_slow) * number // looks
                await self._part(client, mix, target - done, target_slow - done_slow)
                done, done_slow = target, target_slow
                self._look(done)
        return self.seen

    async def _part(self, client: httpx.AsyncClient, mix: Mix, faces: int, slow: int) -> None:
        kinds = shuffled(faces, slow)

        async def call() -> None:
            for kind in kinds:
                send = mix.face() if kind == "face" else mix.slow(kind)
                await self._ask(client, kind, send)

        await asyncio.gather(*(call() for _ in range(self._callers)))
        await asyncio.sleep(EXPIRE_S + 1)

    async def _ask(self, client: httpx.AsyncClient, kind: str, send: Send) -> None:
        try:
            reply = await send(client)
        except httpx.HTTPError as error:
            self.seen.failed[f"{kind}: {error!r}"] += 1
            return
        self.seen.answers[kind] += reply.status_code == 200
        if kind == "inversion" and reply.status_code == 200:
            # Latents are kept for an hour, whatever else expires.
            await client.delete(reply.headers["Content-Location"].removesuffix("/result"))
        if reply.status_code != 200:
            self.seen.failed[f"{kind}: {reply.status_code} {reply.text[:200]}"] += 1

    def _look(self, faces: int) -> None:
        with redis.Redis.from_url(self._stage.server.url) as client:
            used_mb, keys = client.info("memory")["used_memory"] / 2**20, client.dbsize()
        look = Look(faces, time.monotonic() - self._began, self._stage.resident_mb(), used_mb, keys)
        self.seen.looks.append(look)
        self._say(str(look))

    async def _mix(self, client: httpx.AsyncClient) -> Mix:
        """What the default model can, and photos in which it finds a face."""
        attributes = (await client.get("/v1/attributes")).raise_for_status().json()
        models = (await client.get("/v1/models")).raise_for_status().json()["models"]
        model = next(one for one in models if one["digest"] == attributes["model"])
        photos = list[bytes]()
        for seed in range(50):
            face = (await client.get(f"/v1/faces/{seed}.png")).raise_for_status().content
            photo = photo_of(face)
            typed = {"Content-Type": "image/jpeg"}
            found = await client.post("/v1/inversions", params={"method": "encoder"}, content=photo, headers=typed)
            photos += [photo] if found.status_code == 200 else []
            if len(photos) == PHOTOS:
                return Mix(model, attributes["attributes"], photos)
        raise SystemExit(f"A face was found in {len(photos)} photos of 50.")


def photo_of(face: bytes) -> bytes:
    """A larger picture around a face, as somebody might upload it."""
    with Image.open(io.BytesIO(face)) as picture:
        enlarged = picture.convert("RGB").resize((200, 200), Image.Resampling.LANCZOS)
    photo = Image.new("RGB", (320, 280), (128, 120, 110))
    photo.paste(enlarged, (60, 40))
    encoded = io.BytesIO()
    photo.save(encoded, "JPEG", quality=92)
    return encoded.getvalue()


@dataclass(frozen=True)
class Size:
    """How much: so many faces, of each slow kind, callers at once, and looks after the warm-up."""

    faces: int
    slow: int
    callers: int
    looks: int = LOOKS


def measure(size: Size, say: Callable[[str], None], settings: dict[str, str] | None = None) -> Seen:
    """The whole run."""
    short_lived = {"PERSONNE_RESULT_TTL_S": str(EXPIRE_S), "PERSONNE_INPUT_TTL_S": "60", **(settings or {})}
    with ExitStack() as stack:
        run = Run(Stage(stack, short_lived), size.callers, say)
        return asyncio.run(run.all(size.faces, size.slow, size.looks))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--slow", type=int, default=200, help="of each slow kind (200)")
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--looks", type=int, default=LOOKS, help=f"at the memory, after the warm-up ({LOOKS})")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    ended_by_sigterm()
    size = Size(options.faces, options.slow, options.callers, options.looks)
    seen = measure(size, lambda line: print(line, flush=True))
    if options.json:
        options.json.write_text(json.dumps(seen.told()))
    print("answered:", ", ".join(f"{times} x {kind}" for kind, times in seen.answers.items()))
    print("failed:", ", ".join(f"{times} x {what}" for what, times in seen.failed.items()) or "none")
    for name, share in seen.grown.items():
        print(f"{name}: {share:+.2%} since the warm-up")
    print("grew:", ", ".join(seen.too_large()) or "nothing")
    sys.exit(bool(seen.failed or seen.too_large()))


if __name__ == "__main__":
    main()
