"""personne evaluate: how good a generator is, how varied, and whether it copies: figures, a page, the model's card."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.catalogue import ModelEntry
from models.manifest import MANIFEST_FILE
from personne.commands.drawn_pictures import Drawn, draw_samples, draw_ways, forget_samples
from personne.commands.evaluation_page import Pictures, write_page
from personne.commands.model_card import MEASURED_FILE, NEAREST_FILE, rewrite_measured
from personne.progress import shown_count, shown_steps
from training.atomic import written_whole
from training.dataset import load_pictures
from training.errors import DatasetError
from training.metrics.encoder import BUNDLED, open_encoder
from training.metrics.inception import inception_figures
from training.metrics.nearest import suspects_picture
from training.metrics.report import LEAST, TARGETS, Report, Sets, measure
from training.picture_files import TEST, TRAIN, opened_files

REPORT_FILE, PAGE_FILE = "report.json", "report.html"
MOST_SIDE = 256
ENLARGED = 128
"""Suspects are shown at least so large."""


@dataclass(frozen=True)
class Wish:
    """samples: how many; ways: for the path length, 0 for none; psi: 1 is all of the variety. features: an encoder of
    `personne train features`; inception: somebody's weights of Inception, for FID and KID."""

    samples: int = 1000
    ways: int = 200
    psi: float = 1.0
    features: Path | None = None
    inception: Path | None = None
    device: str = "auto"


def evaluate(
    entry: ModelEntry, *, data: Path, test: Path | None, out: Path, wish: Wish, say: Callable[[str], None]
) -> Report:
    """Measure a generator against the pictures that it learnt from (the train split of `data`) and others that it never
    saw (those of `test`, else the test split of `data`). Writes report.json, report.html, measured.json and nearest.jpg
    into the folder `out`. Raises TrainingError, ModelsError.
    """
    for source in (data, test or data):
        if out.resolve().is_relative_to(source.resolve()):
            # Its pictures would be measured against the next time.
            raise ValueError(f"{out} lies in {source}; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    encoder = open_encoder(wish.features or BUNDLED)
    side = min(entry.generator.resolution, MOST_SIDE)
    with shown_steps() as step:
        step(f"reading {data}")
        train, held_out = torch.from_numpy(load_pictures(data, side)), _held_out(data, test, side)
    if len(train) < LEAST:
        # Before a thousand pictures are drawn for nothing.
        raise DatasetError(f"{data} has {len(train)} pictures to compare with; at least {LEAST} are needed")
    sets = _drawn(entry, train, held_out, out, wish)
    with shown_steps() as step:
        report = measure(sets, encoder, step)
        if wish.inception is not None:
            step("Inception: FID and KID")
            for name, (value, floor) in inception_figures(sets.samples, train, wish.inception).items():
                report.put(name, value, floor)
    facts = _facts(entry, data, sets, encoder.digest, wish)
    _write(entry, report, sets, out, facts)
    forget_samples(out)
    for line in _lines(report):
        say(line)
    return report


def put_into_card(entry: ModelEntry, report_folder: Path) -> None:
    """Write the figures of an evaluation into the model's manifest, and them and nearest.jpg into its card."""
    measured: dict[str, float] = json.loads((report_folder / MEASURED_FILE).read_text(encoding="utf-8"))
    said = entry.folder / MANIFEST_FILE
    manifest = json.loads(said.read_text(encoding="utf-8"))
    manifest["metrics"] = {**manifest["metrics"], **measured}
    with written_whole(entry.folder / NEAREST_FILE) as temporary:
        temporary.write_bytes((report_folder / NEAREST_FILE).read_bytes())
    rewrite_measured(entry.folder, manifest["metrics"])
    with written_whole(said) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _held_out(data: Path, test: Path | None, side: int) -> Tensor | None:
    source = test or data
    with opened_files(source) as files:
        has_test = bool(files.of_split(TEST))
    if has_test or test is not None:
        return torch.from_numpy(load_pictures(source, side, TEST if has_test else TRAIN))
    return None


def _drawn(entry: ModelEntry, train: Tensor, held_out: Tensor | None, out: Path, wish: Wish) -> Sets:
    drawn = Drawn(entry, wish.psi, train.shape[2], wish.device)
    with shown_count(f"drawing {entry.manifest.name}", wish.samples) as advance:
        samples = draw_samples(drawn, wish.samples, keep=out, advance=advance)
    if not wish.ways:
        return Sets(samples, train, held_out)
    with shown_count("drawing ways", wish.ways) as advance:
        return Sets(samples, train, held_out, draw_ways(drawn, wish.ways, first_seed=wish.samples, advance=advance))


def _facts(entry: ModelEntry, data: Path, sets: Sets, encoder: str, wish: Wish) -> dict[str, str | float]:
    held_out = 0 if sets.test is None else len(sets.test)
    return {
        "model": entry.manifest.name,
        "digest": entry.manifest.digest,
        "data": data.name,
        "training_pictures": len(sets.train),
        "test_pictures": held_out,
        "samples": len(sets.samples),
        "truncation_psi": wish.psi,
        "resolution": sets.samples.shape[2],
        "encoder": encoder,
    }


def _write(entry: ModelEntry, report: Report, sets: Sets, out: Path, facts: dict[str, str | float]) -> None:
    suspects = suspects_picture(sets.samples, sets.train, report.samples)
    times = -(-ENLARGED // sets.samples.shape[2])
    suspects = suspects.resize((suspects.width * times, suspects.height * times))
    with written_whole(out / NEAREST_FILE) as temporary:
        suspects.save(temporary, "JPEG", quality=92)
    # Which noise the graphs hold is part of what was measured; `personne export --measured` compares it.
    noise = {name: entry.manifest.metrics[name] for name in ("noise",) if name in entry.manifest.metrics}
    counted = {"samples": float(len(sets.samples)), "truncation_psi": float(facts["truncation_psi"]), **noise}
    plain = {"facts": facts, **report.to_plain()}
    for name, content in ((MEASURED_FILE, {**counted, **report.flat()}), (REPORT_FILE, plain)):
        with written_whole(out / name) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    write_page(out / PAGE_FILE, facts, report, Pictures(sets.samples, sets.train, suspects))


def _lines(report: Report) -> list[str]:
    verdicts, lines = report.verdicts(), []
    for name, value in report.figures.items():
        floor = f"  floor {report.floors[name]:8.4g}" if name in report.floors else " " * 16
        target = f"  {'met' if verdicts[name] else 'not met'}: {TARGETS[name]}" if name in verdicts else ""
        lines.append(f"{name:24} {value:8.4g}{floor}{target}".rstrip())
    if report.held_out is None:
        lines.append(
            "No pictures were held out, so whether it copies was not measured: --test, or personne dataset split."
        )
    return lines
