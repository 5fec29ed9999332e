"""personne pull: licence first, then the download from a real server, then the import."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from typer.testing import Result

from models.catalogue import find_models
from models.manifest import TranslatorManifest
from models.networks.patchgan import PatchDiscriminator
from models.networks.translator import ResnetTranslator
from models.pulling import PublishedModel, downloading
from personne.commands import pull_model
from personne.errors import LicenceNotAccepted
from tests.models.file_server import ServedFile, serving
from tests.personne.invoking import invoke


def torch_file(network: torch.nn.Module) -> bytes:
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


def pull(store: Path, *arguments: str) -> Result:
    return invoke("pull", *arguments, "--store", store)


def publish(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A row of the table whose address is ours."""
    row = PublishedModel("style_blots", "CycleGAN, photo to blots", url, "CC0-1.0", "https://example.org/licence")
    monkeypatch.setattr(pull_model, "published", {"style_blots": row}.__getitem__)


def test_fetched_imported_and_tidied_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ServedFile(torch_file(ResnetTranslator(ngf=4, n_blocks=1)), cut_after=[5000])
    with serving(file) as url:
        publish(monkeypatch, url)
        refused = pull(tmp_path, "style_blots")
        assert isinstance(refused.exception, LicenceNotAccepted)
        assert "comes under: CC0-1.0 (https://example.org/licence)" in str(refused.exception)
        assert file.requests == [], "nothing is fetched before the licence is accepted"
        result = pull(tmp_path, "style_blots", "--accept-licence")
    assert result.exit_code == 0, result.output
    assert file.requests == [None, "bytes=5000-"]
    manifest = find_models(tmp_path).named("style_blots").manifest
    assert isinstance(manifest, TranslatorManifest)
    assert (manifest.title, manifest.licence) == ("CycleGAN, photo to blots", "CC0-1.0: https://example.org/licence")
    assert manifest.origin == f"published at {url}"
    assert list((tmp_path / ".downloads").iterdir()) == []


def test_a_download_that_cannot_be_imported_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ServedFile(torch_file(PatchDiscriminator(ndf=4)))
    with serving(file) as url:
        publish(monkeypatch, url)
        for _ in range(2):
            result = pull(tmp_path, "style_blots", "--accept-licence")
            assert "PatchGAN discriminator alone" in str(result.exception)
    assert file.requests == [None], "fetched once"
    assert [path.name for path in (tmp_path / ".downloads").iterdir()] == ["style_blots.pth"]
    assert list(find_models(tmp_path, bundled=tmp_path)) == []


def test_of_two_at_once_the_second_waits_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, held = ServedFile(torch_file(ResnetTranslator(ngf=4, n_blocks=1))), threading.Event()

    def first(model: PublishedModel) -> None:
        with downloading(model, tmp_path / ".downloads", held.clear) as download:
            held.set()
            time.sleep(1)
            download(lambda *_: None)

    with serving(file) as url, ThreadPoolExecutor(1) as pool:
        publish(monkeypatch, url)
        pool.submit(first, pull_model.published("style_blots"))
        assert held.wait(30)
        second = pull(tmp_path, "style_blots", "--accept-licence")
    assert second.exit_code == 0, second.output
    assert "Another process is pulling style_blots; this one waits until it is done." in second.stderr
    assert file.requests == [None], "fetched once"
    assert list((tmp_path / ".downloads").iterdir()) == []


def test_the_table_is_shown(tmp_path: Path) -> None:
    shown = pull(tmp_path)
    assert shown.exit_code == 0
    for name in ("stylegan2-ffhq", "style_monet", "edges2shoes", "non-commercial"):
        assert name in shown.stdout.replace("\n", "")


def test_a_name_that_nobody_published(tmp_path: Path) -> None:
    assert "There is no published checkpoint 'nothing'" in str(pull(tmp_path, "nothing").exception)
