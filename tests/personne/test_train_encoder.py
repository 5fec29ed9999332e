"""personne train encoder, as it is typed: a run that goes on does so at once."""

from pathlib import Path

import pytest

from tests.personne.invoking import invoke
from tests.tiny_model import TINY

SMALL = ("samples=16", "width=8", "widest=16", "hidden=16")


def test_the_samples_are_drawn_once(tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What Ctrl-C sets (tests/training/test_troubles.py presses it), after each step.
    monkeypatch.setattr("training.encoder.loop.keep_records", lambda run, _: setattr(run.interrupt, "asked", True))
    options = [part for one in SMALL for part in ("--set", one)]

    def begin_and_stop() -> str:
        where = ("--model", TINY, "--store", tiny_store, "--out", tmp_path / "run")
        result = invoke("train", "encoder", *where, "--batch", "8", "--images", "800", *options)
        assert "the same command goes on from there" in result.output, (result.output, result.exception)
        return result.output

    said = begin_and_stop()
    assert "drawing 16 samples of the generator" in said
    assert "from image 0 of 800" in said
    (kept,) = (tmp_path / "run").glob("own-samples-*.safetensors")
    written = kept.stat().st_mtime_ns
    said = begin_and_stop()
    assert "drawing" not in said
    assert "from image 8 of 800" in said
    assert kept.stat().st_mtime_ns == written
