"""What the page costs whoever opens it: bytes, time to the largest thing shown, what moves meanwhile.

    python -m benchmarks.page [--loads 10] [--json FILE]

`personne serve` as somebody starts it, and Debian's Chromium, headless, with an empty cache at each load. The limit is
the same browser showing the face alone, in the same run. Exits with 1 when the page is over 50 KB (compressed as a
proxy would, without the face) or its largest paint later than a second.
"""

import argparse
import gzip
import json
import shutil
import statistics
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, Response, sync_playwright

from benchmarks.stage import ended_by_sigterm
from tests.personne.processes import ADDRESS, personne, ready

BARE = "face-alone"
MOST_BYTES, MOST_S = 50_000, 1.0
WATCH = """
window.seen = { painted: 0, moved: 0 };
new PerformanceObserver(list => { for (const e of list.getEntries()) window.seen.painted = e.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver(list => { for (const e of list.getEntries()) window.seen.moved += e.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Seen:
    """painted_ms: largest contentful paint. alone_ms: the same of the face without a page. moved: layout shift. raw and
    compressed: bytes of the page and all that it loads but faces."""

    painted_ms: float
    alone_ms: float
    moved: float
    raw: int
    compressed: int

    @property
    def is_kept(self) -> bool:
        return self.compressed <= MOST_BYTES and self.painted_ms <= 1000 * MOST_S and self.moved == 0

    def __str__(self) -> str:
        return (
            f"largest paint after {self.painted_ms:.0f} ms (the face alone: {self.alone_ms:.0f} ms), "
            f"shift {self.moved:g}, {self.raw / 1000:.1f} KB, compressed {self.compressed / 1000:.1f} KB"
        )


def measure(loads: int) -> Seen:
    """Medians of so many loads."""
    with ExitStack() as stack:
        service = stack.enter_context(personne("serve", "--port", "0"))
        address = service.wait_for(ADDRESS)[1]
        ready(address)
        running = stack.enter_context(sync_playwright())
        found = shutil.which("chromium")
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        pages = [_load(browser, f"{address}/") for _ in range(loads)]
        alone = [_load(browser, f"{address}/{BARE}", f'<img src="/v1/faces/{seed}.jpg">') for seed in range(loads)]
        bodies = pages[-1].bodies
        browser.close()
    return Seen(
        statistics.median(one.painted_ms for one in pages),
        statistics.median(one.painted_ms for one in alone),
        max(one.moved for one in pages),
        sum(map(len, bodies)),
        sum(len(gzip.compress(body)) for body in bodies),
    )


@dataclass(frozen=True)
class _Load:
    painted_ms: float
    moved: float
    bodies: list[bytes]


def _load(browser: Browser, address: str, instead: str | None = None) -> _Load:
    """instead: what is shown there, in place of what the service would answer."""
    with browser.new_context() as context:
        page = context.new_page()
        if instead is not None:
            page.route(address, lambda route: route.fulfill(body=instead, content_type="text/html"))
        answers = list[Response]()
        # Playwright sets an attribute of its own on what it calls: it cannot on a list's method.
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108
        page.add_init_script(WATCH)
        page.goto(address, wait_until="networkidle")
        seen = page.evaluate("window.seen")
        ours = [each for each in answers if not each.headers.get("content-type", "").startswith("image/jpeg")]
        return _Load(seen["painted"], seen["moved"], [each.body() for each in ours])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    ended_by_sigterm()
    seen = measure(options.loads)
    print(seen)
    if options.json:
        options.json.write_text(json.dumps(asdict(seen)))
    sys.exit(not seen.is_kept)


if __name__ == "__main__":
    main()
