"""The store: models whole or not at all, whatever happens to the process that makes them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.errors import ModelNotFound, ModelRefused
from models.store import (
    LOCK_FILE,
    MADE,
    REPLACED,
    SCRATCH_PREFIX,
    ModelExists,
    Store,
    check_name,
    check_replaceable,
    model_name,
)
from tests.house.tracked import ROOT

MAKER = """
import sys, time
from pathlib import Path
from models.store import Store
with Store(Path(sys.argv[1])).making("half") as folder:
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    print("ready", flush=True)
    time.sleep(60)
"""


def make(store: Store, name: str, text: str = "{}", *, replace: bool = False) -> None:
    with store.making(name, replace=replace) as folder:
        folder.mkdir()
        (folder / "manifest.json").write_text(text)


def test_a_model_appears_at_the_end_of_the_block(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "store")
    with store.making("mine") as folder:
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
        assert store.names() == []
    assert store.names() == ["mine"]
    assert [path.name for path in store.root.iterdir()] == ["mine"]


def test_whoever_may_read_the_folder_may_read_its_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.making("mine") as folder:
        folder.mkdir()
        folder.chmod(0o750)
        (folder / "weights").touch(0o600)
    assert (tmp_path / "mine" / "weights").stat().st_mode & 0o777 == 0o640


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.making("mine") as folder:
        folder.mkdir()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, "mine", "old")
    with pytest.raises(ModelExists, match="'mine' already; choose another --name, or replace it with --force"):
        make(store, "mine", "new")
    make(store, "mine", "new", replace=True)
    assert (tmp_path / "mine" / "manifest.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_somebody_else_was_quicker(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ModelExists), store.making("mine") as folder:
        folder.mkdir()
        make(store, "mine", "theirs")
    assert (tmp_path / "mine" / "manifest.json").read_text() == "theirs"


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_leaves_no_half_model(tmp_path: Path, sent: signal.Signals) -> None:
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER, tmp_path],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ,
        # What a shell starts in the background ignores SIGINT, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert maker.stdout is not None
    assert maker.stdout.readline() == b"ready\n"
    store = Store(tmp_path)
    store.clean()
    assert len(list(tmp_path.iterdir())) == 1, "the scratch of a living process stays"
    maker.send_signal(sent)
    maker.wait()
    maker.stdout.close()
    assert store.names() == []
    make(store, "other")
    assert [path.name for path in tmp_path.iterdir()] == ["other"], "stale scratch is gone"


def test_a_model_that_was_being_replaced_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, "mine", "old")
    scratch = tmp_path / f"{SCRATCH_PREFIX}mine-dead"
    (scratch / REPLACED).mkdir(parents=True)
    (scratch / "lock").touch()
    (tmp_path / "mine").rename(scratch / REPLACED / "mine")
    store.clean()
    assert (tmp_path / "mine" / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_model_that_could_not_be_replaced_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, "mine", "old")
    with store._scratch("mine") as scratch, pytest.raises(FileNotFoundError):
        store._put(scratch / MADE / "never-written", "mine", scratch, replace=True)
    assert (tmp_path / "mine" / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", [LOCK_FILE, REPLACED, MADE])
def test_a_model_may_be_called_what_the_scratch_has_in_it(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    make(store, name, "old")
    make(store, name, "new", replace=True)
    assert (tmp_path / name / "manifest.json").read_text() == "new"
    store.remove(name)
    assert list(tmp_path.iterdir()) == []


def test_what_a_model_may_take_the_place_of(tmp_path: Path) -> None:
    for free in ("absent", "empty", "model"):
        folder = tmp_path / free
        if free != "absent":
            folder.mkdir()
        if free == "model":
            (folder / "manifest.json").write_text('{"graphs": {}, "version": 0}')
        check_replaceable(folder)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "manifest.json").write_text('{"short_name": "a web application"}')
    (tmp_path / "file").write_text("thesis")
    for other in (tmp_path, tmp_path / "site", tmp_path / "file"):
        with pytest.raises(ModelRefused, match="is there already and is no model, so it is not replaced"):
            check_replaceable(other)


def test_remove(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, "mine")
    store.remove("mine")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ModelNotFound):
        store.remove("mine")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("latest_net_G_A", "latest_net_g_a"),
        ("StyleGAN2 FFHQ (1024x1024)", "stylegan2-ffhq-1024x1024"),
        ("network-snapshot-000125.ema", "network-snapshot-000125-ema"),
        ("--Ünïcode--", "n-code"),
        ("…", "model"),
        ("x" * 99, "x" * 64),
    ],
)
def test_names_of_files_become_names_of_models(text: str, name: str) -> None:
    assert model_name(text) == name
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "../x", "-x", "x" * 65, "a b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ModelRefused, match="is no model name"):
        check_name(name)


def test_a_clean_store_costs_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    Store(tmp_path / "absent").clean()
    assert time.monotonic() - began < 1
    assert not (tmp_path / "absent").exists()
