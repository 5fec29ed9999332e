"""What the generators of StyleGAN2 and StyleGAN3 share: a mapping, then a synthesis, and the arguments of both."""
# B batch, Z latent, Y label, D width of w, L style layer

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from models.networks.layers import FullyConnected, normalise


class MappingNetwork(nn.Module):
    """z (and a label) -> w, one copy per style layer, optionally truncated toward the mean w."""

    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        num_ws: int | None,
        *,
        num_layers: int = 8,
        embed_features: int | None = None,
        layer_features: int | None = None,
        lr_multiplier: float = 0.01,
        w_avg_beta: float | None = 0.998,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.num_ws, self.num_layers, self.w_avg_beta = num_ws, num_layers, w_avg_beta
        embedded = 0 if c_dim == 0 else (w_dim if embed_features is None else embed_features)
        hidden = w_dim if layer_features is None else layer_features
        widths = [z_dim + embedded] + [hidden] * (num_layers - 1) + [w_dim]
        if c_dim > 0:
            self.embed = FullyConnected(c_dim, embedded)
        for i in range(num_layers):
            layer = FullyConnected(widths[i], widths[i + 1], activation="lrelu", lr_multiplier=lr_multiplier)
            setattr(self, f"fc{i}", layer)
        if num_ws is not None and w_avg_beta is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(
        self,
        z_BZ: Tensor | None,
        c_BY: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_w_avg: bool = False,
    ) -> Tensor:
        """[B, z_dim], [B, c_dim] -> [B, num_ws, w_dim] ([B, w_dim] where num_ws is None).

        `truncation_psi` 0 gives the mean face, 1 leaves w as it is; `truncation_cutoff` restricts
        it to the first layers. `update_w_avg` moves the running mean (training only).
        """
        w_BD = self._map(z_BZ, c_BY)
        if update_w_avg and self.w_avg_beta is not None:
            self.w_avg.copy_(w_BD.detach().mean(dim=0).lerp(self.w_avg, self.w_avg_beta))
        if self.num_ws is None:
            return w_BD
        ws_BLD = w_BD.unsqueeze(1).expand(-1, self.num_ws, -1)
        if truncation_psi == 1:
            return ws_BLD
        psi_L1 = ws_BLD.new_ones(self.num_ws, 1)
        psi_L1[:truncation_cutoff] = truncation_psi
        truncated: Tensor = self.w_avg + psi_L1 * (ws_BLD - self.w_avg)
        return truncated

    def _map(self, z_BZ: Tensor | None, c_BY: Tensor | None) -> Tensor:
        parts = []
        if self.z_dim > 0:
            assert z_BZ is not None
            parts.append(normalise(z_BZ.float()))
        if self.c_dim > 0:
            assert c_BY is not None, "this network is class-conditional: give labels"
            parts.append(normalise(self.embed(c_BY.float())))
        x = torch.cat(parts, dim=1)
        for i in range(self.num_layers):
            x = getattr(self, f"fc{i}")(x)
        return x


class StyleGenerator(nn.Module):
    """Mapping, then synthesis. `synthesis_kwargs` may be nested or flat, as both official repositories have it."""

    SYNTHESIS: ClassVar[Callable[..., Any]]
    MAPPING_KWARGS: ClassVar[Mapping[str, Any]] = {}
    """What the family's mapping has unless told otherwise."""

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        img_resolution: int,
        img_channels: int,
        *,
        mapping_kwargs: Mapping[str, Any] | None = None,
        synthesis_kwargs: Mapping[str, Any] | None = None,
        **flat_synthesis_kwargs: Any,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.img_resolution, self.img_channels = img_resolution, img_channels
        synthesis = {**(synthesis_kwargs or {}), **flat_synthesis_kwargs}
        self.synthesis = self.SYNTHESIS(w_dim, img_resolution, img_channels, **synthesis)
        self.num_ws = self.synthesis.num_ws
        mapping = {**self.MAPPING_KWARGS, **(mapping_kwargs or {})}
        self.mapping = MappingNetwork(z_dim, c_dim, w_dim, self.num_ws, **mapping)
