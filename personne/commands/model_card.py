"""card.md: what a person should know of a model before using it, written from what was recorded and measured."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.manifest import GeneratorManifest, TrainingData, TranslatorManifest
from training.atomic import written_whole

SHEET_FILE = "sheet.jpg"
NEAREST_FILE = "nearest.jpg"
PAINTED_FILE = "painted.jpg"
MEASURED_FILE = "measured.json"

MEANINGS = {
    "images_seen": "images shown to the discriminator in training",
    "training_hours": "hours of training",
    "face_share": "share of 1,000 samples at truncation_psi 0.7 in which the YuNet detector finds exactly one face",
    "samples": "samples measured",
    "truncation_psi": "truncation_psi of the samples; 1 is all of the variety",
    "noise": "share of the trained noise strength that is in the graphs",
    "nearest_median": "median distance of a sample to the nearest training picture or mirror image (RMS, 32x32 pixels)",
    "nearest_smallest": "smallest such distance",
    "test_nearest_median": "the same for photographs of people whom the model never saw: the yardstick",
    "test_nearest_smallest": "smallest such distance",
    "closer_than_any_test": "share of samples nearer to a training picture than any of those photographs",
    "swd": "sliced Wasserstein distance to the training pictures, times 1,000, mean over the levels",
    "kid_self": "kernel distance to the training pictures, times 1,000, by features of this project's own encoder",
    "ms_ssim": "mean MS-SSIM of pairs of samples: higher is less varied",
    "ms_ssim_ratio": "the samples' mean MS-SSIM over the training pictures': 1 is as varied",
    "precision": "share of samples that lie where training pictures lie, by the same features",
    "recall": "share of training pictures that lie where samples lie",
    "density": "how thickly samples lie where training pictures lie; 1 is as thickly",
    "coverage": "share of training pictures with a sample nearby",
    "path_length_ratio": "squared speed along ways through w over squared distance of their ends; 1 is straight, even",
    "spectrum_slope": "exponent of the power spectrum",
    "spectrum_db": "mean difference of the power spectrum to that of training pictures, in decibels",
    "closest_ratio": "distance of the closest 1 % of samples to the training pictures over that of people never seen",
    "closest_ratio_features": "the closest 1 % of samples in the same way, by features instead of pixels",
    "fid": "Frechet inception distance to the training pictures, by torchmetrics",
    "kid": "kernel inception distance, by torchmetrics, times 1,000",
    "photos": "photographs of the test split that were translated and measured",
    "edge_preservation": "correlation of the edges of a photo and of its translation (1: every edge is where it was)",
    "saturation_kept": "saturation of the translations, as a share of the photos'",
    "style_distance": "distance of the translations' Gram matrices to those of the paintings (random filters)",
    "style_distance_photos": "the same for the photos themselves",
    "swd_photos": "the same distance for the photos themselves",
    "cycle_l1": "mean difference between a photo and itself after the way there and back, of 2",
    "psnr": "PSNR of pictures of the test split, enlarged four times, in decibels",
    "psnr_lanczos": "the same by Lanczos resampling alone",
    "ssim": "their SSIM, of the luma",
    "ssim_lanczos": "the same by Lanczos resampling alone",
    "chroma_error": "mean difference of a pixel's colour, its brightness apart, in levels of 255",
    "chroma_error_grey": "the same where all is left grey",
    "hole_psnr": "PSNR inside the holes, in decibels",
    "hole_psnr_smooth": "the same where the colours around are carried on smoothly, without a network",
    "hole_psnr_mean": "the same for the mean colour of what surrounds the hole",
    "rounding_levels": "largest change of a pixel by weights stored as float16, of 255 levels; over 1 they are float32",
    "parity_ws": "largest difference of ws between graph and PyTorch",
    "parity_levels": "largest difference of a pixel between graph and PyTorch, of 255 levels",
    "parity_share": "share of pixels that differ so",
    "parity_batch": "largest batch that was compared",
    "float16_psnr": "least PSNR of a float16 picture against float32, in decibels (100: equal)",
    "float16_seeds": "pictures that were compared in float16",
}

FLOOR = "_floor"

PICTURED = {
    NEAREST_FILE: "## Is it anybody?\n\n"
    "The samples that came nearest to a training picture, each beside it (mirrored where that is nearer).\n\n"
    f"![Samples beside their nearest training pictures]({NEAREST_FILE})",
    PAINTED_FILE: "## What it does to photographs\n\n"
    "Photographs that it never saw in training, each above its translation.\n\n"
    f"![Photographs and their translations]({PAINTED_FILE})",
}
"""What a model's folder may show beside its sheet, and how the card speaks of it."""


class CardFacts(BaseModel):
    """What only a person can say of a model (a JSON file): licence, origin, data, machine, and what to beware of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str
    origin: str
    title: str = ""
    training_data: tuple[TrainingData, ...] = ()
    machine: str = ""
    notes: str = ""


def read_run(run: Path, images_seen: int) -> dict[str, float]:
    """How many images a snapshot has seen and, where the run's stats.jsonl is at hand, in how many hours."""
    stats = run / "stats.jsonl"
    if not stats.is_file():
        return {"images_seen": float(images_seen)}
    rows: list[dict[str, Any]] = [json.loads(line) for line in stats.read_text().splitlines()]
    seconds, before = 0.0, 0
    for row in rows:
        if before < row["images_seen"] <= images_seen:
            seconds += (row["images_seen"] - before) / row["images_per_second"]
            before = row["images_seen"]
    return {"images_seen": float(images_seen), "training_hours": round(seconds / 3600, 2)}


def write_card(manifest: GeneratorManifest | TranslatorManifest, facts: CardFacts, folder: Path) -> None:
    """Write card.md into the model's folder."""
    what, shown = _what(manifest)
    parts = [
        f"# {manifest.name}",
        f"{what}, {facts.origin}.",
        f"![{shown}]({SHEET_FILE})",
        _table(manifest),
        "## What it learnt from",
        "\n".join(f"- {_data_line(data)}" for data in manifest.training_data) or "Unknown.",
        facts.machine and f"## Training\n\nTrained on {facts.machine}.",
        facts.notes and f"## Beware\n\n{facts.notes}",
        "## Measured\n\n" + _metrics(manifest.metrics),
    ]
    parts += [section for name, section in PICTURED.items() if (folder / name).exists()]
    (folder / "card.md").write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def rewrite_measured(folder: Path, metrics: dict[str, float]) -> None:
    """Put other figures, and the pictures that are there now, in place of those of a card; all else stays."""
    card = folder / "card.md"
    head, _, _ = card.read_text(encoding="utf-8").partition("## Measured")
    shown = [section for name, section in PICTURED.items() if (folder / name).exists()]
    parts = [head + "## Measured\n\n" + _metrics(metrics), *shown]
    with written_whole(card) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _what(manifest: GeneratorManifest | TranslatorManifest) -> tuple[str, str]:
    """What the model is, and what its sheet shows."""
    if isinstance(manifest, GeneratorManifest):
        side = manifest.resolution
        return f"A {manifest.family} generator of {side}x{side} pictures", "Seeds 0 to 39, truncation_psi 0.7"
    style = f" ({manifest.title})" if manifest.title else ""
    return f"A {manifest.family} translator of pictures{style}", "Drawn scenes, and below them what became of them"


def _dimensions(manifest: GeneratorManifest | TranslatorManifest) -> str:
    if isinstance(manifest, GeneratorManifest):
        return f"z {manifest.z_dim}, w {manifest.w_dim}, layers {manifest.num_ws}, labels {manifest.c_dim}"
    return (
        f"channels {manifest.input_nc} to {manifest.output_nc}, ngf {manifest.ngf}, "
        f"width and height multiples of {manifest.size_multiple}"
    )


def _table(manifest: GeneratorManifest | TranslatorManifest) -> str:
    megabytes = sum(graph.bytes for graph in manifest.graphs.values()) / 1e6
    stored = "float32" if manifest.metrics.get("rounding_levels", 0) > 1 else "float16"
    rows = {
        "licence": manifest.licence,
        "digest": f"`{manifest.digest}`",
        "dimensions": _dimensions(manifest),
        "graphs": f"{megabytes:.1f} MB, weights stored as {stored}, arithmetic in float32",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _data_line(data: TrainingData) -> str:
    attribution = f" {data.attribution}." if data.attribution else ""
    return f"{data.name}: {data.images:,} pictures, {data.licence}.{attribution}"


def _metrics(metrics: dict[str, float]) -> str:
    """A table; beside a figure its floor, where there is one: what real pictures have that were compared as it was."""
    beside = {name + FLOOR for name in metrics}
    rows = {name: value for name, value in metrics.items() if name not in beside}
    floors = {name: f"{metrics[name + FLOOR]:,.4g}" for name in rows if name + FLOOR in metrics}
    lines = [f"| {MEANINGS.get(name, name)} | {value:,.6g} | {floors.get(name, '')} |" for name, value in rows.items()]
    return "\n".join(["| figure | value | of real pictures |", "|---|---|---|", *lines])
