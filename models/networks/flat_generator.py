"""Generators without a mapping network, whose published tensor names have no `synthesis.` in front.

Their one style layer is z itself, prepared; so the same calls, graphs and edits serve them as serve StyleGAN.
"""
# B batch, Z latent, Y label, D width of ws, C channel, H W picture

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.truncation import layer_psi, truncate

MAPPING, SYNTHESIS = "mapping.", "synthesis."


class FlatGenerator(nn.Module):
    """`mapping` prepares z, `synthesis` draws; the state dict names the latter's tensors as published."""

    def __init__(self, mapping: nn.Module, synthesis: nn.Module, *, z_dim: int, c_dim: int, w_dim: int) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim, self.num_ws = z_dim, c_dim, w_dim, 1
        self.mapping, self.synthesis = mapping, synthesis
        # The mean of z is 0, and no file stores it.
        self.mapping.register_buffer("w_avg", torch.zeros(w_dim), persistent=False)
        self.register_state_dict_post_hook(_to_published_names)  # type: ignore[no-untyped-call]  # torch's
        self.register_load_state_dict_pre_hook(_from_published_names)  # type: ignore[no-untyped-call]  # torch's

    @property
    def w_avg(self) -> Tensor:
        """The mean of the prepared z: zeros, [w_dim]."""
        w_avg_D: Tensor = self.mapping.get_buffer("w_avg")
        return w_avg_D

    def forward(
        self,
        z_BZ: Tensor,
        c_BY: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        **synthesis: Any,
    ) -> Tensor:
        """[B, z_dim], [B, c_dim] -> [B, img_channels, R, R], about -1..1; `synthesis`: its further arguments."""
        ws_B1D = self.mapping(z_BZ, c_BY)
        if truncation_psi != 1:
            psi_1 = layer_psi(1, truncation_psi, truncation_cutoff).to(ws_B1D.device)
            ws_B1D = truncate(ws_B1D, self.w_avg, psi_1)
        img: Tensor = self.synthesis(ws_B1D, **synthesis)
        return img


def _to_published_names(_module: nn.Module, state_dict: dict[str, Any], prefix: str, _metadata: object) -> None:
    _rename(
        state_dict,
        {name: prefix + name.removeprefix(prefix + SYNTHESIS) for name in _under(state_dict, prefix + SYNTHESIS)},
    )


def _from_published_names(_module: nn.Module, state_dict: dict[str, Any], prefix: str, *_report: object) -> None:
    flat = [name for name in _under(state_dict, prefix) if not name.startswith(prefix + MAPPING)]
    _rename(state_dict, {name: prefix + SYNTHESIS + name.removeprefix(prefix) for name in flat})


def _under(state_dict: Iterable[str], prefix: str) -> list[str]:
    return [name for name in state_dict if name.startswith(prefix)]


def _rename(state_dict: dict[str, Any], names: dict[str, str]) -> None:
    for old, new in names.items():
        state_dict[new] = state_dict.pop(old)
