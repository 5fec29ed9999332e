"""personne doctor: what is installed, what works, and how to mend what does not."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from models.engines.opening import open_engine
from models.errors import ModelNotFound
from personne import diagnosis
from personne.diagnosis import Finding
from personne.errors import Unsound, install
from personne.models_here import models_here
from personne.settings import Settings

DEVICES = ("cpu", "cuda", "tensorrt", "openvino")
COLOURS = {"sound": "green", "note": "yellow", "wrong": "red"}


def doctor(settings: Settings, *, as_json: bool) -> None:
    """Look at everything, tell it, and raise Unsound where something is wrong."""
    findings = list(examined(settings))
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2) + "\n")
    else:
        _tell(findings)
    wrong = sum(finding.state == "wrong" for finding in findings)
    if wrong:
        raise Unsound(wrong)


def examined(settings: Settings) -> Iterator[Finding]:
    """Every finding, one thing after the other: what is broken keeps nothing else from being looked at."""
    yield from diagnosis.installed()
    yield from diagnosis.settings_said(settings)
    yield from diagnosis.store(settings)
    yield from diagnosis.models(settings)
    yield from devices(settings)
    yield from diagnosis.queue(settings)
    yield from diagnosis.certificates(settings)
    yield from diagnosis.keys(settings)


def devices(settings: Settings) -> Iterator[Finding]:
    """Which devices run a graph of the default model; the one that is set must."""
    try:
        entry = models_here(settings).named(settings.default_model)
    except ModelNotFound:
        return
    path = min((entry.graph_path(name) for name in entry.manifest.graphs), key=lambda path: path.stat().st_size)
    wanted, working = settings.device.partition(":")[0], 0
    for device in dict.fromkeys((*DEVICES, settings.device)):
        if device == "auto":
            continue
        finding = _tried(device, path, settings.threads, must=device == settings.device)
        working += finding.state == "sound"
        yield finding
    if wanted == "auto" and not working:
        yield Finding("devices", "wrong", "No device works.", install("worker"))


def _tried(device: str, path: Path, threads: int | None, *, must: bool) -> Finding:
    try:
        began = time.perf_counter()
        engine = open_engine(path, device, threads)
        engine.warm()
        took_ms = (time.perf_counter() - began) * 1000
        name = engine.device
        engine.close()
    except Exception as error:
        # Whatever a driver raises: that is what one wants to know.
        says = f"{device}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        mend = "choose another PERSONNE_DEVICE, or install what it needs" if must else ""
        return Finding("devices", "wrong" if must else "note", says, mend)
    return Finding("devices", "sound", f"{name} opened and ran {path.name} in {took_ms:.0f} ms.")


def _tell(findings: list[Finding]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        mark = f"[{COLOURS[finding.state]}]{finding.state:5}[/]"
        console.print(f"{mark}  [bold]{finding.about:12}[/]  ", end="")
        console.print(finding.says, markup=False)
        if finding.mend:
            console.print(f"{'':21}mend it: {finding.mend}", markup=False)
