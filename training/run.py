"""What the loop of every recipe holds on to: config, state, data, log, processes, and whether to go on."""

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from training.draws import Draws
from training.errors import RunRefused
from training.interrupt import Interrupt
from training.processes import Processes
from training.run_config import RunConfig
from training.run_folder import locked, reconciled, write_config
from training.run_log import RunLog
from training.saved_state import STATE_NAME, RunState
from training.steps import autocast, is_due, memory_of, set_up

Config = TypeVar("Config", bound=RunConfig)
State = TypeVar("State", bound=RunState)
Data = TypeVar("Data")

ASK_EVERY_STEPS = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe(Generic[Config, State, Data]):
    """How a recipe begins.

    shape_fields: what cannot change in a run. load: the data, and the config with what the data says (its classes).
    fresh: a new state. start_from: fill a new one from `init_from`. data_fields: what the data says, and cannot say
    otherwise when a run goes on.
    """

    name: str
    shape_fields: Sequence[str]
    load: Callable[[Config, torch.device], tuple[Config, Data]]
    fresh: Callable[[Config, torch.device], State]
    start_from: Callable[[Path, State], None]
    data_fields: Sequence[str] = ()
    is_small: bool = False
    """Networks so small that one process on the CPU is all that they need; nothing else is offered then."""


@dataclass
class Run(Generic[Config, State, Data]):
    """A run in this process."""

    config: Config
    state: State
    data: Data
    log: RunLog
    processes: Processes
    interrupt: Interrupt
    stopped: bool = False
    """Whether Ctrl-C ended it."""
    _saved_at: float = field(default_factory=time.monotonic)

    @property
    def device(self) -> torch.device:
        return self.processes.device

    @property
    def draws(self) -> Draws:
        return self.processes.draws

    @property
    def batch(self) -> int:
        """Pictures of a step in this process."""
        return self.processes.batch

    def goes_on(self) -> bool:
        """Whether there is another step to do; not after Ctrl-C."""
        if self.state.images_seen >= self.config.total_images:
            return False
        if self.draws.count == 1:
            self.stopped = self.interrupt.asked
        elif self.state.steps % ASK_EVERY_STEPS == 0:
            # Several processes must stop at one step; asking costs a round among them. torchrun waits half a minute.
            self.stopped = self.processes.any(self.interrupt.asked)
        return not self.stopped

    def is_due(self, every_images: int) -> bool:
        """Whether the last step passed a multiple of `every_images`, or was the run's last."""
        return is_due(self.config, self.state.images_seen, every_images)

    def save_if_due(self) -> None:
        """In the first process, write the state: every state_every_images, and after state_every_s at the latest."""
        is_old = time.monotonic() - self._saved_at >= self.config.state_every_s
        if self.processes.is_first and (is_old or self.is_due(self.config.state_every_images)):
            self.state.save(self.config.out)
            self._saved_at = time.monotonic()

    def autocast(self) -> torch.autocast:
        return autocast(self.config, self.device)

    def step(self, optimiser: torch.optim.Optimizer, loss: Tensor, clipped: Sequence[nn.Module] = ()) -> None:
        """One step of gradient descent, the same in every process. clipped: networks whose gradient is kept short."""
        self.processes.step(optimiser, loss, clipped)

    def seen(self) -> None:
        """Count a step."""
        self.state.steps += 1
        self.state.images_seen += self.config.batch


@contextlib.contextmanager
def running(config: Config, recipe: Recipe[Config, State, Data]) -> Iterator[Run[Config, State, Data]]:
    """All that a loop needs, from the run in `config.out` or for a new one.

    Raises RunRefused where another process trains there or a network of another shape lies there. On Ctrl-C the state
    is saved, and KeyboardInterrupt raised.
    """
    if recipe.is_small:
        config = _on_cpu(config, recipe.name)
    set_up(config)
    with (
        Processes(config) as processes,
        memory_of(processes.device),
        _held(config, processes),
        Interrupt() as interrupt,
    ):
        if recipe.is_small and processes.draws.count > 1:
            raise _more_asked(recipe.name)
        config = reconciled(config, recipe.shape_fields)
        config, data = recipe.load(config, processes.device)
        config = reconciled(config, recipe.shape_fields, recipe.data_fields)
        state = recipe.fresh(config, processes.device)
        saved = config.out / STATE_NAME
        if saved.exists():
            state.load(saved, processes.device)
        elif config.init_from is not None:
            recipe.start_from(config.init_from, state)
        processes.wait()
        if processes.is_first:
            write_config(config)
        logger.info("on %s, from image %d of %d", processes.device, state.images_seen, config.total_images)
        seen, first = state.images_seen, processes.is_first
        with RunLog(config.out, recipe.name, config.total_images, seen, processes.device, writes=first) as log:
            run = Run(config, state, data, log, processes, interrupt)
            yield run
        if run.stopped:
            if processes.is_first:
                state.save(config.out)
            logger.warning("stopped at image %d and saved; the same command goes on from there", state.images_seen)
            raise KeyboardInterrupt


def _on_cpu(config: Config, name: str) -> Config:
    """The config of a small recipe. Raises RunRefused where another device was asked, here or not."""
    config = dataclasses.replace(config, device="cpu") if config.device == "auto" else config
    if config.device.partition(":")[0] != "cpu":
        raise _more_asked(name)
    return config


def _more_asked(name: str) -> RunRefused:
    return RunRefused(f"the {name} trains on the CPU in one process; more was asked")


@contextlib.contextmanager
def _held(config: RunConfig, processes: Processes) -> Iterator[None]:
    if processes.is_first:
        with locked(config.out):
            yield
    else:
        yield
