"""Scenes that were composed, to be seen several times."""
# B batch, C channel, H W scene

from collections import deque

import torch

from training.locator.scenes import Scenes

FLIPPED = [1, 0, 2, 4, 3]
"""The order of the landmarks in a mirror."""


class ScenePool:
    """The newest `most` scenes. What is drawn follows torch's global generator; a resumed run fills it anew."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._batches: deque[Scenes] = deque()

    def __len__(self) -> int:
        return sum(len(batch) for batch in self._batches)

    def add(self, scenes: Scenes) -> None:
        """Pictures are kept as bytes."""
        levels = (scenes.pictures * 127.5 + 127.5).round().to(torch.uint8)
        self._batches.append(Scenes(levels, scenes.landmarks, scenes.found, scenes.ignored))
        while len(self) > self._most and len(self._batches) > 1:
            self._batches.popleft()

    def drawn(self, count: int) -> Scenes:
        """[B, ...] of any of them, each mirrored half of the time."""
        chosen = []
        for batch, row in zip(
            torch.randint(len(self._batches), (count,)).tolist(), torch.rand(count).tolist(), strict=True
        ):
            scenes = self._batches[batch]
            chosen.append((scenes, int(row * len(scenes))))
        pictures, landmarks, found, ignored = (
            torch.stack([getattr(scenes, name)[row] for scenes, row in chosen])
            for name in ("pictures", "landmarks", "found", "ignored")
        )
        return _mirrored(Scenes(pictures.float() / 127.5 - 1, landmarks, found, ignored))


def _mirrored(scenes: Scenes) -> Scenes:
    is_mirrored = torch.rand(len(scenes)) < 0.5
    other = scenes.landmarks[:, :, FLIPPED].clone()
    other[..., 0] = scenes.pictures.shape[-1] - other[..., 0]
    chosen = is_mirrored.view(-1, 1, 1, 1)
    pictures = torch.where(chosen, scenes.pictures.flip(3), scenes.pictures)
    return Scenes(pictures, torch.where(chosen, other, scenes.landmarks), scenes.found, scenes.ignored)
