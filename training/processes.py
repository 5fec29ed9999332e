"""The processes that train one model together: one, or as many as torchrun started on one or several machines.

Each holds the whole model and a share of every batch; gradients are averaged before every step, so that all stay the
same model. There is no wrapper around the networks: R1 and path length take gradients of gradients, and a generator is
called in two halves, neither of which a wrapper that hooks into `forward` would see.
"""

from collections.abc import Iterable

import torch
from accelerate import PartialState
from torch import Tensor, nn

from training.draws import Draws
from training.run_config import RunConfig
from training.steps import device_of

STEEPEST = 5.0
AVERAGED_BUFFERS = ("w_avg", "running_mean", "running_var")
"""Running statistics: each process has seen its own share only."""


class Processes:
    """This process among its fellows. A context: the end of it is the end of their talk.

    Raises RunRefused for a device that is not to be had, ValueError for a batch that cannot be shared.
    """

    def __init__(self, config: RunConfig) -> None:
        # A device that is not to be had is refused before anything is begun.
        alone = device_of(config)
        on_cpu = config.device == "cpu" or not torch.cuda.is_available()
        self._state = PartialState(cpu=on_cpu)
        if config.batch % (count := self._state.num_processes):
            raise ValueError(f"batch is {config.batch}; it must be a multiple of the {count} processes")
        self.device = _device(config, self._state, alone)
        self.draws = Draws(self._state.process_index, self._state.num_processes)
        self.batch = config.batch // self.draws.count
        """Pictures in this process's share of a step."""

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *error: object) -> None:
        if self.draws.count > 1 and error[0] is None:
            self._state.wait_for_everyone()
            self._state.destroy_process_group()
        # The next run in this program asks anew.
        PartialState._reset_state()

    @property
    def is_first(self) -> bool:
        """Whether this one writes the run's files."""
        return self.draws.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        self._state.wait_for_everyone()

    @torch.no_grad()
    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each by its mean over the processes, in place. All must call it, in the same order."""
        if self.draws.count == 1 or not (chosen := list(tensors)):
            return
        flat = torch.cat([tensor.detach().float().flatten() for tensor in chosen])
        torch.distributed.all_reduce(flat)
        flat /= self.draws.count
        for tensor, mean in zip(chosen, torch.split(flat, [tensor.numel() for tensor in chosen]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def any(self, fact: bool) -> bool:
        """Whether it holds in any process."""
        share = torch.tensor(float(fact), device=self.device)
        self.average([share])
        return bool(share > 0)

    def step(self, optimiser: torch.optim.Optimizer, loss: Tensor, clipped: Iterable[nn.Module] = ()) -> None:
        """One step of gradient descent on the mean of the processes' losses. clipped: networks whose gradient is cut to
        a norm of STEEPEST, each for itself."""
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        parameters = (parameter for group in optimiser.param_groups for parameter in group["params"])
        self.average(parameter.grad for parameter in parameters if parameter.grad is not None)
        for network in clipped:
            nn.utils.clip_grad_norm_(network.parameters(), STEEPEST)
        optimiser.step()

    def average_statistics(self, network: nn.Module) -> None:
        """Running means and variances of the whole batch, not of a share."""
        self.average(buffer for name, buffer in network.named_buffers() if name.endswith(AVERAGED_BUFFERS))


def _device(config: RunConfig, state: PartialState, alone: torch.device) -> torch.device:
    """alone: where one process would be."""
    if state.num_processes > 1 or config.device == "auto":
        return torch.device("cpu") if state.device.type == "cpu" else state.device
    return alone
