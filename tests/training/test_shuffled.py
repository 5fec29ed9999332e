"""The order of the pictures, and that it does not matter whether they lie in memory or in a file of the run."""

import dataclasses
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from personne.cli import app
from tests.training.picture_folder import blot
from tests.training.runs import ROOT, assert_a_kill_loses_nothing, assert_same, started, state_of, stats_of
from tests.training.test_dataset import TRAIN
from training.config import TrainingConfig
from training.draws import Draws
from training.errors import DatasetError
from training.faces import train
from training.features.config import FeaturesConfig
from training.features.loop import train_features
from training.free_memory import container_bytes, free_bytes
from training.held_pictures import MappedPictures, ResidentPictures
from training.shuffled import ShuffledPictures, load_shuffled

CPU = torch.device("cpu")


def numbered(count: int) -> ResidentPictures:
    """Each is of the level of its number."""
    return ResidentPictures(torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).repeat(1, 2, 2, 3))


def numbers(batch: torch.Tensor) -> list[int]:
    levels: list[int] = ((batch[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
    return levels


def on_disk(config: TrainingConfig) -> TrainingConfig:
    return dataclasses.replace(config, data_memory_share=0.0)


def files_of(run: Path) -> list[str]:
    return sorted(path.name for path in run.glob("*pictures-*"))


def test_labels_go_with_their_pictures() -> None:
    pictures = ShuffledPictures(numbered(7), 1, torch.eye(7))
    for start in (0, 5, 11):
        labels = pictures.labels(start, 4)
        assert labels is not None
        assert labels.argmax(dim=1).tolist() == numbers(pictures.batch(start, 4))
    assert ShuffledPictures(numbered(7), 1).labels(0, 4) is None


def test_every_epoch_shows_every_picture_once_in_an_order_of_its_own() -> None:
    pictures = ShuffledPictures(numbered(10), seed=1)
    order = [number for start in range(0, 20, 4) for number in numbers(pictures.batch(start, 4))]
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:]


def test_a_batch_depends_on_images_seen_alone() -> None:
    held = ResidentPictures(torch.from_numpy(np.random.RandomState(0).randint(0, 255, (7, 2, 2, 3)).astype(np.uint8)))
    first, second = (ShuffledPictures(held, 3) for _ in range(2))
    first.batch(0, 4)
    torch.testing.assert_close(first.batch(4, 16), second.batch(4, 16), atol=0, rtol=0)
    whole = second.batch(0, 20)
    torch.testing.assert_close(whole[4:], second.batch(4, 16), atol=0, rtol=0)
    assert whole.min() >= -1
    assert whole.max() <= 1


def test_processes_share_a_batch() -> None:
    pictures = ShuffledPictures(numbered(10), 1, torch.eye(10))
    whole = numbers(pictures.batch(8, 4))
    for rank in (0, 1):
        assert numbers(pictures.batch(8, 4, Draws(rank, 2))) == whole[rank::2]
        labels = pictures.labels(8, 4, Draws(rank, 2))
        assert labels is not None
        assert labels.argmax(dim=1).tolist() == whole[rank::2]


def test_batches_are_the_same_from_memory_and_from_disk(tiny: TrainingConfig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    resident = load_shuffled(tiny, tiny.data, 16, CPU)
    assert files_of(tiny.out) == []
    assert caplog.messages == []
    mapped = load_shuffled(on_disk(tiny), tiny.data, 16, CPU)
    assert len(files_of(tiny.out)) == 1
    assert len(caplog.messages) == 1, "one line says where they are read from"
    assert "more than 0 of the" in caplog.text
    # Steps of the same length are read ahead; a jump, another size and a step back are not, and are as exact.
    for seen, size in [(0, 4), (4, 4), (8, 4), (12, 16), (28, 16), (3, 5), (3, 5), (0, 8), (1000, 4)]:
        one, two = resident.batch(seen, size), mapped.batch(seen, size)
        assert one.dtype == two.dtype == torch.float32
        assert torch.equal(one, two), (seen, size)
        assert one.stride() == two.stride()
        for rank in (0, 1):
            assert torch.equal(one[rank::2], mapped.batch(seen, size, Draws(rank, 2)))
    places = np.array([3, 0, 3, TRAIN - 1])
    assert torch.equal(resident.at(places), mapped.at(places))
    assert torch.equal(torch.cat(list(resident.parts(7))), torch.cat(list(mapped.parts(7))))


def test_what_is_read_ahead_is_what_is_asked_for_next(tiny: TrainingConfig) -> None:
    load_shuffled(on_disk(tiny), tiny.data, 16, CPU)
    pictures = MappedPictures(tiny.out / files_of(tiny.out)[0], CPU)
    expected = pictures.at(np.array([5, 1]))
    pictures.read_ahead(np.array([5, 1]))
    assert torch.equal(pictures.at(np.array([5, 1])), expected)
    pictures.read_ahead(np.array([5, 1]))
    assert torch.equal(pictures.at(np.array([1, 5])), expected.flip(0)), "something else was asked for"


def test_a_run_from_disk_is_the_run_from_memory(tiny: TrainingConfig, trained_run: TrainingConfig) -> None:
    train(on_disk(tiny))
    assert_same(state_of(tiny), state_of(trained_run))
    assert [row["swd"] for row in stats_of(tiny) if "swd" in row] == [
        row["swd"] for row in stats_of(trained_run) if "swd" in row
    ]


def test_a_killed_run_from_disk_loses_nothing(tiny: TrainingConfig, tmp_path: Path) -> None:
    long = dataclasses.replace(on_disk(tiny), total_images=160)
    assert_a_kill_loses_nothing("training.faces", train, long, tmp_path)


def test_features_are_learnt_from_disk_as_from_memory(blots: Path, tmp_path: Path) -> None:
    one = FeaturesConfig(data=blots, out=tmp_path / "one", total_images=16, batch=8, device="cpu")
    two = dataclasses.replace(one, out=tmp_path / "two", data_memory_share=0.0)
    assert_same(load_file(train_features(one)), load_file(train_features(two)))
    assert files_of(two.out)


def test_the_file_serves_again_while_its_source_is_the_same(tiny: TrainingConfig, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny.data, source)
    config = dataclasses.replace(on_disk(tiny), data=source)

    def loaded(resolution: int = 16) -> tuple[str, int, torch.Tensor]:
        pictures = load_shuffled(config, source, resolution, CPU)
        [name] = files_of(config.out)
        return name, (config.out / name).stat().st_mtime_ns, pictures.batch(0, 4)

    first, again = loaded(), loaded()
    assert again[:2] == first[:2], "decoded once"
    # The same name and size, another time: other pixels may be in it.
    os.utime(source / "03.png", ns=(1, 1))
    touched = loaded()
    assert touched[0] != first[0], "and the file of before is gone"
    (source / "03.png").unlink()
    assert loaded()[0] not in {touched[0], first[0]}
    assert loaded(8)[2].shape == (4, 3, 8, 8)
    short = config.out / loaded()[0]
    # Another file of the name, for the one of before is still mapped.
    short.unlink()
    short.write_bytes(b"not whole")
    resident = load_shuffled(dataclasses.replace(config, data_memory_share=1.0), source, 16, CPU)
    assert torch.equal(loaded()[2], resident.batch(0, 4))


def test_a_zip_is_known_by_what_is_in_it(tiny: TrainingConfig, tmp_path: Path) -> None:
    names = []
    for number, moved in [(0, False), (0, True), (1, False)]:
        archive = tmp_path / f"{number}{moved}.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for each in range(4):
                picture = tmp_path / "one.bmp"
                blot(each + number, (16, 16)).save(picture)
                file.write(picture, f"{each}.bmp")
        load_shuffled(on_disk(tiny), archive, 16, CPU)
        names += files_of(tiny.out)
    assert names[0] == names[1], "moved, but the same"
    assert names[2] != names[0]


def test_what_was_decoded_to_half_is_never_used(tiny: TrainingConfig, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.mkdir()
    blot(1, (800, 800)).save(source / "000.jpg")
    for number in range(1, 300):
        shutil.copy(source / "000.jpg", source / f"{number:03d}.jpg")
    killed = dataclasses.replace(on_disk(tiny), data=source, total_images=8, measured_pictures=0)
    process = started("training.faces", killed)
    while process.poll() is None and not any(path.stat().st_size for path in killed.out.glob(".pictures-*.partial")):
        time.sleep(0.002)
    process.kill()
    assert process.wait() < 0, "it was killed as it decoded"
    assert files_of(killed.out)[0].endswith(".partial")
    assert list(killed.out.glob("pictures-*.npy")) == []
    train(killed)
    whole = dataclasses.replace(killed, out=tmp_path / "whole")
    train(whole)
    assert_same(state_of(killed), state_of(whole))
    [name] = files_of(killed.out)
    assert (killed.out / name).read_bytes() == (whole.out / name).read_bytes()


def test_a_picture_that_cannot_be_read_leaves_no_file(tiny: TrainingConfig, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(70):
        blot(number, (8, 8)).save(source / f"{number:02d}.png")
    (source / "67.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"67\.png"):
        load_shuffled(on_disk(tiny), source, 8, CPU)
    assert files_of(tiny.out) == []


def test_where_the_disk_has_no_room_it_is_said(tiny: TrainingConfig, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(3):
        blot(number, (8, 8)).save(source / f"{number}.png")
    with pytest.raises(DatasetError, match="free some, choose a smaller resolution, or let them into memory"):
        load_shuffled(on_disk(tiny), source, 2_000_000, CPU)


GROWTH = """
import sys
from pathlib import Path
import torch
from training.config import TrainingConfig
from training.shuffled import load_shuffled
data, out, share = sys.argv[1:]
config = TrainingConfig(data=Path(data), out=Path(out), resolution=256, total_images=1, batch=1,
                        data_memory_share=float(share))
def mb(what):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(what)) / 1024
open("/proc/self/clear_refs", "w").write("5")
before = mb("VmRSS")
load_shuffled(config, config.data, 256, torch.device("cpu"))
print(mb("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is told by Linux")
def test_memory_stays_bounded_as_pictures_are_decoded(tmp_path: Path) -> None:
    archive = tmp_path / "many.zip"
    small = tmp_path / "small.png"
    Image.new("RGB", (16, 16), (90, 60, 30)).save(small)
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(1500):
            file.write(small, f"{number:04d}.png")

    def growth_mb(share: float) -> float:
        command = [sys.executable, "-c", GROWTH, str(archive), str(tmp_path / "run"), str(share)]
        return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    whole_mb = 1500 * 3 * 256**2 / 2**20
    assert growth_mb(0.0) < 0.4 * whole_mb
    assert files_of(tmp_path / "run")
    assert growth_mb(1.0) > 0.9 * whole_mb, "in memory they take what they take"


def test_what_a_container_may_still_take(tmp_path: Path) -> None:
    assert container_bytes(tmp_path) > 2**60, "no limit is told"
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 300\ninactive_file 250\n")
    assert container_bytes(tmp_path) > 2**60
    (tmp_path / "memory.max").write_text("1000\n")
    assert container_bytes(tmp_path) == 550
    assert 0 < free_bytes(CPU) < 2**50


def test_a_share_beyond_all_is_refused(tiny: TrainingConfig) -> None:
    with pytest.raises(ValueError, match=r"data_memory_share is 1\.5; it must be from 0 to 1"):
        dataclasses.replace(tiny, data_memory_share=1.5)


def test_the_command_trains_from_disk(blots: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    small = ["channel_base=128", "channel_max=16", "z_dim=16", "w_dim=16", "data_memory_share=1e-9", "grid_rows=1"]
    options = ["--data", str(blots), "--out", str(out), "--resolution", "16", "--images", "16", "--batch", "4"]
    changes = [part for change in small for part in ("--set", change)]
    answer = CliRunner().invoke(app, ["train", "faces", *options, "--device", "cpu", *changes])
    assert answer.exit_code == 0, answer.output
    assert json.loads((out / "config.json").read_text())["data_memory_share"] == 1e-9
    [name] = files_of(out)
    assert np.load(out / name).shape == (TRAIN, 16, 16, 3)
    assert (out / "card.md").exists()
