"""Many models in one worker: opened when asked for, once, in what room there is, and none for the others' cost."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import worker.loaded_models
from jobs.contract import JobFailure, JobResult, Lane
from models.catalogue import Catalogue, ModelEntry
from tests.worker.bench import CONFIG, Bench, until_ready
from worker.config import WorkerConfig
from worker.errors import ModelNotLoaded, ModelUnusable
from worker.loaded_model import LoadedGenerator, LoadedModel, memory_mb, open_model
from worker.loaded_models import LoadedModels

pytestmark = pytest.mark.anyio


class ChangingShelf:
    """A shelf that a test refills."""

    def __init__(self, now: Catalogue) -> None:
        self.now = now


def copies(tiny: ModelEntry, *names: str) -> Catalogue:
    """The model under several names, each with a digest of its own (only the manifest's hash differs)."""
    entries = {}
    for number, name in enumerate(names):
        mapping = tiny.manifest.graphs["mapping"].model_copy(update={"sha256": f"{number:064d}"})
        graphs = {**tiny.manifest.graphs, "mapping": mapping}
        entries[name] = ModelEntry(
            tiny.manifest.model_copy(update={"name": name, "graphs": graphs}), tiny.folder, "store"
        )
    return Catalogue(entries)


@pytest.fixture
def shelf(tiny_catalogue: Catalogue) -> ChangingShelf:
    return ChangingShelf(copies(tiny_catalogue.named("tiny"), "a", "b", "c", "d"))


def digest(shelf: ChangingShelf, name: str) -> str:
    return shelf.now.named(name).manifest.digest


def config_with_room_for(shelf: ChangingShelf, count: int, **fields: object) -> WorkerConfig:
    each = memory_mb(shelf.now.named("a").manifest, CONFIG, "cpu")
    return replace(CONFIG, default_model="a", model_memory_mb=each * count, **fields)  # type: ignore[arg-type]


class CountedOpening:
    """Opens as the worker does, counts, and lets a test hold it."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.began = threading.Event()

    def __call__(self, entry: ModelEntry, config: WorkerConfig, device: str) -> LoadedModel:
        self.opened.append(entry.manifest.name)
        self.began.set()
        assert self.go_on.wait(20)
        return open_model(entry, config, device)


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> CountedOpening:
    counted = CountedOpening()
    monkeypatch.setattr(worker.loaded_models, "open_model", counted)
    return counted


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.loaded_models, "KEPT_S", 0.0)


def use(models: LoadedModels, digest: str) -> str:
    with models.held(digest) as model:
        return model.manifest.name


def test_the_default_is_open_at_the_start_and_others_when_asked_for(shelf: ChangingShelf) -> None:
    models = LoadedModels(shelf, replace(CONFIG, default_model="a"))
    models.open()
    assert models.warm() == (digest(shelf, "a"),)
    assert models.digests() == tuple(digest(shelf, name) for name in "abcd")
    assert not models.at_hand(digest(shelf, "b"))
    assert use(models, digest(shelf, "b")) == "b"
    assert models.at_hand(digest(shelf, "b"))
    models.close()


def test_only_named_models_are_served_and_all_of_them_from_the_start(shelf: ChangingShelf) -> None:
    models = LoadedModels(shelf, replace(CONFIG, default_model="a", models=("b", "c")))
    models.open()
    assert models.warm() == models.digests() == (digest(shelf, "b"), digest(shelf, "c"))
    with pytest.raises(ModelNotLoaded):
        use(models, digest(shelf, "a"))
    models.close()


def test_the_least_recently_used_goes_and_the_default_stays(shelf: ChangingShelf) -> None:
    models = LoadedModels(shelf, config_with_room_for(shelf, 3))
    models.open()
    for name in ("b", "c", "b", "d"):
        use(models, digest(shelf, name))
    assert set(models.warm()) == {digest(shelf, name) for name in "abd"}
    for name in "cbdcbd":
        assert use(models, digest(shelf, name)) == name
        assert digest(shelf, "a") in models.warm()
        assert len(models.warm()) <= 3
    models.close()


def test_what_a_batch_holds_is_never_closed(shelf: ChangingShelf) -> None:
    models = LoadedModels(shelf, config_with_room_for(shelf, 2))
    models.open()
    with ThreadPoolExecutor(1) as pool:
        with models.held(digest(shelf, "b")) as held:
            assert isinstance(held, LoadedGenerator)
            other = pool.submit(use, models, digest(shelf, "c"))
            time.sleep(0.3)
            assert not other.done(), "there is room for two, and both are held or stay"
            zeros = {"z": np.zeros([1, 32], np.float32), "psi": np.ones([1, 8], np.float32)}
            assert held.mapping.run(zeros)["ws"].shape == (1, 8, 32)
        assert other.result(20) == "c"
    assert digest(shelf, "b") not in models.warm()
    models.close()


def test_two_lanes_that_ask_for_one_model_open_it_once(shelf: ChangingShelf, opening: CountedOpening) -> None:
    models = LoadedModels(shelf, replace(CONFIG, default_model="a"))
    models.open()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: use(models, digest(shelf, "b")), range(16))) == ["b"] * 16
    assert opening.opened == ["a", "b"]
    models.close()


def test_a_model_without_room_beside_the_default_is_refused_with_the_limit(shelf: ChangingShelf) -> None:
    models = LoadedModels(shelf, config_with_room_for(shelf, 1))
    models.open()
    with pytest.raises(ModelUnusable, match=r"'b': it needs about \d+ MB, and PERSONNE_MODEL_MEMORY_MB leaves 0"):
        use(models, digest(shelf, "b"))
    assert models.warm() == (digest(shelf, "a"),)
    models.close()


def test_a_broken_model_fails_its_own_and_is_tried_again_when_its_folder_changes(
    shelf: ChangingShelf, tmp_path: Path, opening: CountedOpening
) -> None:
    good = shelf.now.named("b")
    shutil.copytree(good.folder, tmp_path / "b")
    (tmp_path / "b" / "synthesis.onnx").write_bytes(b"no graph")
    entries = {entry.manifest.name: entry for entry in shelf.now}
    shelf.now = Catalogue({**entries, "b": replace(good, folder=tmp_path / "b")})
    models = LoadedModels(shelf, replace(CONFIG, default_model="a"))
    models.open()
    for _ in range(3):
        with pytest.raises(ModelUnusable, match=r"cannot open model 'b': its log says why\.") as caught:
            use(models, digest(shelf, "b"))
        assert str(tmp_path) not in str(caught.value), "no path reaches whoever asked"
    assert opening.opened == ["a", "b"], "it was tried once"
    assert models.at_hand(digest(shelf, "b")), "there is nothing to wait for"
    assert use(models, digest(shelf, "c")) == "c"
    shelf.now = Catalogue(entries)
    assert use(models, digest(shelf, "b")) == "b"
    models.close()


def test_what_leaves_the_shelf_is_closed_and_a_new_default_opened(shelf: ChangingShelf) -> None:
    models = LoadedModels(shelf, replace(CONFIG, default_model="a"))
    models.open()
    use(models, digest(shelf, "b"))
    everything = shelf.now
    shelf.now = Catalogue({"c": everything.named("c")})
    with models.held(everything.named("b").manifest.digest):
        models.follow_shelf()
        assert models.warm() == (everything.named("b").manifest.digest,), "a batch holds it"
    models.follow_shelf()
    assert models.warm() == ()
    with pytest.raises(ModelNotLoaded):
        use(models, everything.named("a").manifest.digest)
    renamed = everything.named("d").manifest.model_copy(update={"name": "a"})
    shelf.now = Catalogue({"a": replace(everything.named("d"), manifest=renamed)})
    models.follow_shelf()
    wait_until(lambda: models.warm() == (renamed.digest,))
    models.close()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def many(shelf: ChangingShelf, tiny_catalogue: Catalogue) -> Iterator[Bench]:
    bench = Bench(tiny_catalogue)
    bench.catalogue, bench.model = shelf.now, digest(shelf, "a")
    yield bench


async def test_warm_models_go_on_while_another_is_opened(
    many: Bench, shelf: ChangingShelf, opening: CountedOpening
) -> None:
    with many.working(config=replace(CONFIG, default_model="a")) as running:
        await until_ready(running)
        opening.go_on.clear()
        opening.began.clear()
        cold = await many.submit([many.job(seed, model=digest(shelf, "b")) for seed in range(3)])
        assert await asyncio.to_thread(opening.began.wait, 20)
        for seed in range(4):
            await many.pictures(await many.submit([many.job(seed)]))
        beat = (await many.submitter.state()).workers[0]
        assert (digest(shelf, "b") in beat.models, digest(shelf, "b") in beat.warm) == (True, False)
        opening.go_on.set()
        outcomes = await many.outcomes(cold)
    assert [outcome.batch_size for outcome in outcomes if isinstance(outcome, JobResult)] == [3, 3, 3]


@pytest.mark.parametrize(("lane", "asked", "held"), [(Lane.SLOW, 6, 2), (Lane.QUICK, 80, 64)])
async def test_a_cold_model_does_not_empty_its_lane_into_one_worker(
    many: Bench, shelf: ChangingShelf, opening: CountedOpening, *, lane: Lane, asked: int, held: int
) -> None:
    with many.working(config=replace(CONFIG, default_model="a")) as running:
        await until_ready(running)
        opening.go_on.clear()
        cold = await many.submit([many.job(seed, model=digest(shelf, "b")) for seed in range(asked)], lane)
        while (await many.submitter.state()).running[lane] < held:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        state = await many.submitter.state()
        assert (state.running[lane], state.waiting[lane]) == (held, asked - held), "others may be free for the rest"
        opening.go_on.set()
        await many.pictures(cold)


async def test_taking_turns_where_there_is_room_for_one_ends_well(
    many: Bench, shelf: ChangingShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.loaded_models, "KEPT_S", 5.0)
    jobs = [many.job(seed, model=digest(shelf, name)) for seed in range(3) for name in "bcd"]
    ids = await many.submit(jobs)
    with many.working(config=config_with_room_for(shelf, 2)):
        await many.pictures(ids)


async def test_a_model_that_does_not_open_fails_only_its_own_jobs(many: Bench, shelf: ChangingShelf) -> None:
    jobs = [many.job(seed, model=digest(shelf, name)) for seed in range(2) for name in "ab"]
    ids = await many.submit(jobs)
    with many.working(config=config_with_room_for(shelf, 1)) as running:
        outcomes = await many.outcomes(ids)
    # Counted a moment after the outcome is there: so once the worker has ended.
    figures = running.metrics.figures()
    assert [type(outcome) for outcome in outcomes] == [JobResult, JobFailure] * 2
    assert {outcome.code for outcome in outcomes if isinstance(outcome, JobFailure)} == {"model-refused"}
    assert (figures.done, figures.failed, figures.retried) == (2, 2, 0)


async def test_jobs_that_wait_for_their_model_are_given_back_at_a_stop(
    many: Bench, shelf: ChangingShelf, opening: CountedOpening
) -> None:
    with many.working(config=replace(CONFIG, default_model="a")) as running:
        await until_ready(running)
        opening.go_on.clear()
        opening.began.clear()
        cold = await many.submit([many.job(1, model=digest(shelf, "b"))])
        assert await asyncio.to_thread(opening.began.wait, 20)
        await asyncio.to_thread(running.stop)
        state = await many.submitter.state()
        assert (sum(state.waiting.values()), sum(state.running.values())) == (1, 0)
        opening.go_on.set()
    with many.working(config=replace(CONFIG, default_model="a")):
        await many.pictures(cold)
