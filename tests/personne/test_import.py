"""personne import: a published case, in its real container, becomes a model that draws the published pictures.

The generators' other containers are imported beside a running service: test_imported_is_served.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.catalogue import find_models
from tests.personne.invoking import invoke
from tests.personne.published import (
    Case,
    as_cyclegan,
    as_old_pix2pix,
    as_safetensors,
    assert_draws_as_published,
    read_case,
)


@dataclass(frozen=True)
class Row:
    """A case, and how its weights come as a file."""

    case: str
    family: str
    write: Callable[[Case, Path], Path]


ROWS = (
    Row("cyclegan_resnet_9blocks", "cyclegan", as_cyclegan),
    Row("pix2pix_unet_128", "pix2pix", as_old_pix2pix),
    Row("stylegan2_32", "stylegan2", as_safetensors),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.case} {row.write.__name__}")
def test_a_published_case_is_imported_and_draws_as_published(row: Row, tmp_path: Path) -> None:
    case = read_case(row.case)
    path, store = row.write(case, tmp_path), tmp_path / "store"
    result = invoke("import", path, "--name", "mine", "--store", store)
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    assert "mine (" in result.stdout
    assert [folder.name for folder in store.iterdir()] == ["mine"]
    entry = find_models(store).named("mine")
    assert entry.manifest.family == row.family
    assert entry.manifest.licence == ("CC-BY-4.0" if row.write is as_safetensors else "unknown: ask its author")
    assert {"sheet.jpg", "card.md", "weights.safetensors"} <= {file.name for file in entry.folder.iterdir()}
    assert_draws_as_published(entry, case)
