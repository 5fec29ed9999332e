"""report.html: an evaluation as one page that needs nothing else: pictures inside it, plots as SVG."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from models.contact_sheet import contact_sheet
from personne.commands.model_card import MEANINGS
from training.atomic import written_whole
from training.metrics.report import TARGETS, Report

SHOWN, COLUMNS = 40, 10
WIDTH, HEIGHT, MARGIN = 560, 240, 44
BINS = 40

STYLE = """
:root { color-scheme: light dark; --line: #8886; --drawn: #c2410c; --real: #2563eb }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
img, svg { max-width: 100%; height: auto }
.drawn { stroke: var(--drawn); fill: none; stroke-width: 2 } .real { stroke: var(--real); fill: none; stroke-width: 2 }
rect.drawn { fill: var(--drawn); fill-opacity: .5; stroke: none }
rect.real { fill: var(--real); fill-opacity: .5; stroke: none }
svg text { font: 12px system-ui, sans-serif; fill: currentColor } svg .axis { stroke: var(--line) }
"""


@dataclass(frozen=True)
class Pictures:
    """What the page shows: samples and training pictures, uint8 [., 3, R, R], and samples above their neighbours."""

    samples: Tensor
    training: Tensor
    suspects: Image.Image


def write_page(path: Path, facts: Mapping[str, str | float], report: Report, pictures: Pictures) -> None:
    """Write the page whole."""
    name = html.escape(str(facts["model"]))
    real = pictures.training[:: max(1, len(pictures.training) // SHOWN)]
    parts = [
        f"<h1>How good is {name}?</h1>",
        _table(("", ""), [(key.replace("_", " "), _number(value)) for key, value in facts.items()]),
        "<h2>Figures</h2><p>A floor is the same figure of one random half of the training pictures against the other: "
        "no generator can be expected to do better.</p>",
        _figures(report),
        f"<h2>Samples</h2>{_picture(_sheet(pictures.samples), f'Samples of {name}')}",
        f"<h2>Pictures that it learnt from</h2>{_picture(_sheet(real), 'Training pictures')}",
        "<h2>Is it anybody?</h2><p>The samples that came nearest to a training picture, each above it (mirrored where "
        f"that is nearer).</p>{_picture(pictures.suspects, 'Samples above their nearest training pictures')}",
        _distances(report),
        _spectra(report),
        _levels(report),
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>How good is '
        f"{name}?</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )
    with written_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _figures(report: Report) -> str:
    verdicts, rows = report.verdicts(), []
    for name, value in report.figures.items():
        floor = _number(report.floors[name]) if name in report.floors else ""
        target = f"{'✓' if verdicts[name] else '✗'} {TARGETS[name]}" if name in verdicts else ""
        rows.append((MEANINGS.get(name, name), _number(value), floor, target))
    return _table(("figure", "value", "floor", "target"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str]) -> str:
        first, *others = (html.escape(cell) for cell in cells)
        return f"<tr><td>{first}</td>{''.join(f'<td class=number>{cell}</td>' for cell in others)}</tr>"

    heading = "".join(f"<th>{cell}</th>" for cell in head) if any(head) else ""
    return f"<table><tr>{heading}</tr>{''.join(row(cells) for cells in rows)}</table>"


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"


def _sheet(pictures_NCHW: Tensor) -> Image.Image:
    return contact_sheet(pictures_NCHW[:SHOWN].permute(0, 2, 3, 1).numpy(), COLUMNS)


def _picture(picture: Image.Image, words: str) -> str:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{words}" src="data:image/jpeg;base64,{data}">'


def _distances(report: Report) -> str:
    """How far samples, and photographs never seen, lie from the training pictures."""
    if report.held_out is None:
        return ""
    drawn, real = report.samples.distance, report.held_out.distance
    low, high = float(torch.minimum(drawn.min(), real.min())), float(torch.maximum(drawn.max(), real.max())) + 1e-6
    counts = {kind: torch.histc(part, BINS, low, high) / len(part) for kind, part in (("drawn", drawn), ("real", real))}
    most, width = max(float(part.max()) for part in counts.values()), (WIDTH - 2 * MARGIN) / BINS
    bars = [
        f'<rect class="{kind}" x="{MARGIN + i * width:.1f}" width="{width:.1f}" '
        f'y="{HEIGHT - MARGIN - share / most * (HEIGHT - 2 * MARGIN):.1f}" '
        f'height="{share / most * (HEIGHT - 2 * MARGIN):.1f}"/>'
        for kind, part in counts.items()
        for i, share in enumerate(part.tolist())
    ]
    words = "Distance to the nearest training picture or its mirror image (RMS of 32x32 pixels, in levels)"
    return _plot(words, bars, (low, high), ("samples", "photographs that it never saw"))


def _spectra(report: Report) -> str:
    """Power against frequency, both in the logarithm."""
    curves = {kind: report.spectra[name].power for kind, name in (("drawn", "samples"), ("real", "training"))}
    low = min(float(curve.min()) for curve in curves.values())
    high = max(float(curve.max()) for curve in curves.values())
    lines = []
    for kind, curve in curves.items():
        across = torch.arange(1, len(curve) + 1).float().log() / torch.tensor(float(len(curve))).log()
        points = zip(across.tolist(), ((curve - low) / (high - low + 1e-9)).tolist(), strict=True)
        lines.append(f'<polyline class="{kind}" points="{" ".join(_point(x, y) for x, y in points)}"/>')
    words = f"Power of the luma in decibels ({low:.0f} to {high:.0f}) by waves a picture"
    return _plot(words, lines, (1, len(curves["drawn"])), ("samples", "training pictures"))


def _levels(report: Report) -> str:
    rows = [(f"{side}x{side}", _number(value), _number(floor)) for side, (value, floor) in report.levels.items()]
    title = "<h2>Sliced Wasserstein distance by resolution</h2>"
    return title + _table(("level", "value", "floor"), rows)


def _point(x: float, y: float) -> str:
    return f"{MARGIN + x * (WIDTH - 2 * MARGIN):.1f},{HEIGHT - MARGIN - y * (HEIGHT - 2 * MARGIN):.1f}"


def _plot(words: str, marks: Sequence[str], ends: tuple[float, float], legend: tuple[str, str]) -> str:
    base, right = HEIGHT - MARGIN, WIDTH - MARGIN
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f'<line class="axis" x1="{MARGIN}" x2="{right}" y1="{base}" y2="{base}"/>{"".join(marks)}'
        f'<text x="{MARGIN}" y="{base + 18}">{ends[0]:.3g}</text>'
        f'<text x="{right}" y="{base + 18}" text-anchor="end">{ends[1]:.3g}</text>'
        f'<line class="drawn" x1="{MARGIN}" x2="{MARGIN + 20}" y1="12" y2="12"/>'
        f'<text x="{MARGIN + 26}" y="16">{legend[0]}</text>'
        f'<line class="real" x1="{WIDTH / 2}" x2="{WIDTH / 2 + 20}" y1="12" y2="12"/>'
        f'<text x="{WIDTH / 2 + 26}" y="16">{legend[1]}</text></svg><figcaption>{words}</figcaption></figure>'
    )
