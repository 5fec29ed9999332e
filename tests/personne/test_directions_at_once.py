"""Commands on one model's directions at the same time, and what they must not lose."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.direction_files import save_directions
from models.directions import DirectionsRefused
from personne.commands.directions_range import RangeMeasure
from tests.personne.test_directions import entry_of, refused, run, store
from tests.some_directions import some_directions, vector

__all__ = ["store"]
EXAMPLES = ("directions", "examples", "tiny", "--as", "hat", "--plus", "1", "--minus", "2", "--device", "cpu")


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """While a command measures a range, which takes its time, something else happens."""
    measure = RangeMeasure.of

    def measured(self: RangeMeasure, *arguments: Any, **options: Any) -> tuple[float, float]:
        happens()
        return measure(self, *arguments, **options)

    monkeypatch.setattr(RangeMeasure, "of", measured)


def test_what_another_command_saves_during_a_search_stays(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_directions(store / "tiny", some_directions())
    np.save(tmp_path / "beard.npy", vector(5))

    def another() -> None:
        run(store, "directions", "import", "tiny", tmp_path / "beard.npy", "--as", "beard")
        run(store, "directions", "remove", "tiny", "pose")

    meanwhile(monkeypatch, another)
    run(store, *EXAMPLES)
    assert list(entry_of(store).directions) == ["smile", "age", "hue", "beard", "hat"]


def test_directions_of_one_model_are_not_put_into_another_that_took_its_place(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = store / "tiny" / "manifest.json"
    told = json.loads(manifest.read_text())
    told["graphs"]["mapping"]["sha256"] = "0" * 64

    def another() -> None:
        manifest.write_text(json.dumps(told))

    meanwhile(monkeypatch, another)
    error = refused(store, *EXAMPLES)
    assert isinstance(error, DirectionsRefused)
    assert "holds another model" in str(error)
    assert not (store / "tiny" / "directions.npz").exists()


def test_a_name_that_another_direction_has_is_not_taken_from_it(store: Path) -> None:
    save_directions(store / "tiny", some_directions())
    error = refused(store, "directions", "rename", "tiny", "smile", "age")
    assert "has a direction 'age' already" in str(error)
    assert list(entry_of(store).directions) == ["smile", "age", "hue", "pose"]
    run(store, "directions", "rename", "tiny", "smile", "smile", "--high", "1")
    assert entry_of(store).directions["smile"].high == 1


def test_brackets_in_a_meaning_are_shown_as_they_are(store: Path) -> None:
    save_directions(store / "tiny", some_directions())
    meaning = "to [/] or [red]"
    run(store, "directions", "rename", "tiny", "smile", "smile", "--meaning", meaning)
    assert "[/]" in run(store, "directions", "list", "tiny")
